import { type CommandTable, growingWrite, pairsOf, readCommand, shrinkingWrite } from "./command.ts";
import { parseInteger, ReplyError, syntaxError } from "./reply.ts";
import { count } from "./string-commands.ts";

type Scores = ReadonlyMap<string, number>;

export const SORTED_SET_COMMANDS: CommandTable = {
  ZADD: growingWrite(-3, ({ keyspace }, [key = "", ...rest]) => {
    const { isOnlyNew, isOnlyGreater, pairs } = parseZadd(rest);
    // Checked before the key is created: a wrong score changes nothing.
    const scored = pairsOf(pairs).map(([score, member]) => [parseScore(score), member] as const);
    const scores = keyspace.getOrCreate("zset", key);
    let added = 0;
    for (const [score, member] of scored) {
      const old = scores.get(member);
      if (old === undefined) added += 1;
      else if (isOnlyNew || (isOnlyGreater && score <= old)) continue;
      scores.set(member, score);
    }
    return added;
  }),

  ZREM: shrinkingWrite(-2, ({ keyspace }, [key = "", ...members]) => {
    const scores = keyspace.get("zset", key);
    const removed = count(members, (member) => scores?.delete(member) === true);
    keyspace.removeIfEmpty(key);
    return removed;
  }),

  ZCARD: readCommand(1, ({ keyspace }, [key = ""]) => keyspace.get("zset", key)?.size ?? 0),

  ZSCORE: readCommand(2, ({ keyspace }, [key = "", member = ""]) => {
    const score = keyspace.get("zset", key)?.get(member);
    return score === undefined ? null : String(score);
  }),

  ZMSCORE: readCommand(-2, ({ keyspace }, [key = "", ...members]) => {
    const scores = keyspace.get("zset", key);
    return members.map((member) => {
      const score = scores?.get(member);
      return score === undefined ? null : String(score);
    });
  }),

  ZRANGE: readCommand(3, ({ keyspace }, [key = "", start, stop]) => {
    const first = parseInteger(start);
    const last = parseInteger(stop);
    const members = inOrder(keyspace.get("zset", key) ?? new Map());
    const from = first < 0 ? Math.max(0, members.length + first) : first;
    const to = last < 0 ? members.length + last : last;
    return members.slice(from, to + 1);
  }),

  ZRANGEBYSCORE: readCommand(-3, ({ keyspace }, [key = "", min = "", max = "", ...options]) => {
    // In the order in which Redis checks them, so that of two errors the same one is told.
    const { offset, limit } = parseLimit(options);
    const isAbove = parseBound(
      min,
      (score, bound) => score >= bound,
      (score, bound) => score > bound,
    );
    const isBelow = parseBound(
      max,
      (score, bound) => score <= bound,
      (score, bound) => score < bound,
    );
    const scores: Scores = keyspace.get("zset", key) ?? new Map();
    const members = inOrder(scores).filter((member) => {
      const score = scores.get(member) ?? Number.NaN;
      return isAbove(score) && isBelow(score);
    });
    if (offset < 0) return [];
    return members.slice(offset, limit < 0 ? undefined : offset + limit);
  }),
};

function parseZadd(rest: readonly string[]) {
  let isOnlyNew = false;
  let isOnlyGreater = false;
  let index = 0;
  for (; index < rest.length; index += 1) {
    const option = rest[index]?.toUpperCase();
    if (option === "NX") isOnlyNew = true;
    else if (option === "GT") isOnlyGreater = true;
    else break;
  }
  const pairs = rest.slice(index);
  if (pairs.length === 0 || pairs.length % 2 === 1) throw syntaxError();
  if (isOnlyNew && isOnlyGreater) {
    throw new ReplyError("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  return { isOnlyNew, isOnlyGreater, pairs };
}

function parseScore(text: string): number {
  if (!/^[+-]?([0-9]+(\.[0-9]+)?|inf)$/i.test(text)) throw new ReplyError("ERR value is not a valid float");
  return toNumber(text);
}

function toNumber(text: string): number {
  if (/^\+?inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return Number(text);
}

type Comparison = (score: number, bound: number) => boolean;

function parseBound(text: string, inclusive: Comparison, exclusive: Comparison): (score: number) => boolean {
  const isExclusive = text.startsWith("(");
  const digits = isExclusive ? text.slice(1) : text;
  if (!/^[+-]?([0-9]+(\.[0-9]+)?|inf)$/i.test(digits)) throw new ReplyError("ERR min or max is not a float");
  const bound = toNumber(digits);
  const compare = isExclusive ? exclusive : inclusive;
  return (score) => compare(score, bound);
}

function parseLimit(options: readonly string[]) {
  if (options.length === 0) return { offset: 0, limit: -1 };
  if (options.length !== 3 || options[0]?.toUpperCase() !== "LIMIT") throw syntaxError();
  return { offset: parseInteger(options[1]), limit: parseInteger(options[2]) };
}

/** Members by score, and by their bytes where scores are equal. */
function inOrder(scores: Scores): string[] {
  return [...scores.keys()].sort((a, b) => (scores.get(a) ?? 0) - (scores.get(b) ?? 0) || compareBytes(a, b));
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
