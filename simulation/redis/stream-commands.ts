import { type CommandContext, type CommandTable, growingWrite, readCommand, shrinkingWrite } from "./command.ts";
import { OK, parseInteger, type Reply, ReplyError, syntaxError } from "./reply.ts";
import {
  appendEntry,
  type ConsumerGroup,
  compareStreamIds,
  entriesAfter,
  formatStreamId,
  nextStreamId,
  parseStreamId,
  type Stream,
  type StreamEntry,
  type StreamId,
  trimStream,
} from "./stream.ts";
import { count } from "./string-commands.ts";

const FIRST: StreamId = { ms: 0, sequence: 0 };
const LAST: StreamId = { ms: Number.MAX_SAFE_INTEGER, sequence: Number.MAX_SAFE_INTEGER };

/** Commands on streams. The blocking form of `XREAD` belongs to the server, not to this table. */
export const STREAM_COMMANDS: CommandTable = {
  XADD: growingWrite(-4, ({ keyspace, nowUs }, [key = "", ...rest]) => {
    const { trim, rest: entry } = parseTrim(rest);
    const [id = "", ...fields] = entry;
    if (fields.length === 0 || fields.length % 2 === 1) {
      throw new ReplyError("ERR wrong number of arguments for 'xadd' command");
    }
    const nowMs = Math.floor(nowUs / 1000);
    checkEntryId(id);
    // Found wrong before the key is created: an id that is too small changes nothing.
    const existing = keyspace.get("stream", key);
    const next = nextStreamId(existing ?? { ...EMPTY_STREAM }, id, nowMs);
    const stream = existing ?? keyspace.getOrCreate("stream", key);
    appendEntry(stream, { id: next, fields });
    trim?.(stream);
    return formatStreamId(next);
  }),

  XLEN: readCommand(1, ({ keyspace }, [key = ""]) => keyspace.get("stream", key)?.entries.length ?? 0),

  XRANGE: readCommand(-3, ({ keyspace }, [key = "", start, end, ...options]) =>
    rangeOf(keyspace.get("stream", key), start, end, parseCount(options)),
  ),

  XREVRANGE: readCommand(-3, ({ keyspace }, [key = "", end, start, ...options]) => {
    const limit = parseCount(options);
    const entries = rangeOf(keyspace.get("stream", key), start, end, undefined);
    return entries.reverse().slice(0, limit);
  }),

  XTRIM: shrinkingWrite(-3, ({ keyspace }, [key = "", ...rest]) => {
    const { trim, rest: left } = parseTrim(rest);
    if (trim === undefined || left.length > 0) throw syntaxError();
    const stream = keyspace.get("stream", key);
    return stream === undefined ? 0 : trim(stream);
  }),

  XGROUP: growingWrite(-4, ({ keyspace }, [subcommand = "", key = "", name = "", id, ...options]) => {
    if (subcommand.toUpperCase() !== "CREATE") throw syntaxError();
    const isCreating = options[0]?.toUpperCase() === "MKSTREAM";
    if (keyspace.get("stream", key) === undefined && !isCreating) {
      throw new ReplyError(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
      );
    }
    const stream = keyspace.getOrCreate("stream", key);
    if (stream.groups.has(name)) throw new ReplyError("BUSYGROUP Consumer Group name already exists");
    const lastDelivered = id === "$" ? stream.lastId : parseStreamId(id, 0);
    stream.groups.set(name, { lastDelivered, pending: new Map() });
    return OK;
  }),

  XREADGROUP: growingWrite(-6, (context, args) => {
    const { group, consumer, limit, key } = parseReadGroup(args);
    const stream = context.keyspace.get("stream", key);
    const { state } = groupOf(stream, key, group, "XREADGROUP");
    const entries = entriesAfter(stream ?? EMPTY_STREAM, state.lastDelivered).slice(0, limit);
    for (const { id } of entries) {
      state.lastDelivered = id;
      state.pending.set(formatStreamId(id), { id, consumer, deliveredMs: Math.floor(context.nowUs / 1000) });
    }
    return entries.length === 0 ? null : [[key, entries.map(entryReply)]];
  }),

  XACK: shrinkingWrite(-3, ({ keyspace }, [key = "", group = "", ...ids]) => {
    const pending = keyspace.get("stream", key)?.groups.get(group)?.pending;
    // Redis looks at the ids only where there is such a group.
    if (pending === undefined) return 0;
    const parsed = ids.map((id) => formatStreamId(parseStreamId(id, 0)));
    return count(parsed, (id) => pending.delete(id));
  }),

  XAUTOCLAIM: growingWrite(-5, claimPending),
};

/** @throws {ReplyError} for what is no id of an entry, before Redis looks at the key */
function checkEntryId(text: string): void {
  if (text === "*") return;
  const id = parseStreamId(text.endsWith("-*") ? text.slice(0, -2) : text, 0);
  if (!text.endsWith("*") && compareStreamIds(id, FIRST) === 0) {
    throw new ReplyError("ERR The ID specified in XADD must be greater than 0-0");
  }
}

const EMPTY_STREAM: Stream = { entries: [], nodeSizes: [], lastId: FIRST, groups: new Map() };

/** What `XREAD` without `BLOCK` answers of one stream. */
export function readAfter(stream: Stream | undefined, key: string, after: StreamId, limit: number | undefined): Reply {
  const entries = entriesAfter(stream ?? EMPTY_STREAM, after).slice(0, limit);
  return entries.length === 0 ? null : [[key, entries.map(entryReply)]];
}

type Trim = (stream: Stream) => number;

function parseTrim(args: readonly string[]): { trim?: Trim; rest: readonly string[] } {
  const strategy = args[0]?.toUpperCase();
  if (strategy !== "MAXLEN" && strategy !== "MINID") return { rest: args };
  const isApproximate = args[1] === "~";
  const at = args[1] === "~" || args[1] === "=" ? 2 : 1;
  const rest = args.slice(at + 1);
  if (strategy === "MAXLEN") {
    const most = parseInteger(args[at]);
    return { trim: (stream) => trimStream(stream, (_, remaining) => remaining > most, isApproximate), rest };
  }
  const least = parseStreamId(args[at], 0);
  return { trim: (stream) => trimStream(stream, ({ id }) => compareStreamIds(id, least) < 0, isApproximate), rest };
}

function rangeOf(stream: Stream | undefined, start = "-", end = "+", limit?: number): Reply[] {
  const from = start === "-" ? FIRST : parseStreamId(start, 0);
  const to = end === "+" ? LAST : parseStreamId(end, LAST.sequence);
  const entries = (stream ?? EMPTY_STREAM).entries.filter(
    ({ id }) => compareStreamIds(id, from) >= 0 && compareStreamIds(id, to) <= 0,
  );
  return entries.slice(0, limit).map(entryReply);
}

function parseCount(options: readonly string[]): number | undefined {
  if (options.length === 0) return undefined;
  if (options.length !== 2 || options[0]?.toUpperCase() !== "COUNT") throw syntaxError();
  return parseInteger(options[1]);
}

/** The one form that is used: `GROUP name consumer COUNT n STREAMS key >`. */
function parseReadGroup(args: readonly string[]) {
  const [word, group = "", consumer = "", countWord, limit, streams, key = "", id] = args;
  const isKnownForm =
    word?.toUpperCase() === "GROUP" && countWord?.toUpperCase() === "COUNT" && streams?.toUpperCase() === "STREAMS";
  if (!isKnownForm || id !== ">") throw syntaxError();
  return { group, consumer, limit: parseInteger(limit), key };
}

function groupOf(stream: Stream | undefined, key: string, name: string, command: string): { state: ConsumerGroup } {
  const state = stream?.groups.get(name);
  if (state !== undefined) return { state };
  const place = command === "XREADGROUP" ? ` in ${command} with GROUP option` : "";
  throw new ReplyError(`NOGROUP No such key '${key}' or consumer group '${name}'${place}`);
}

function claimPending({ keyspace, nowUs }: CommandContext, args: readonly string[]): Reply {
  const [key = "", group = "", consumer = "", minIdle, start, ...options] = args;
  const limit = parseCount(options) ?? 100;
  const idleMs = parseInteger(minIdle);
  const from = parseStreamId(start, 0);
  const stream = keyspace.get("stream", key);
  const { state } = groupOf(stream, key, group, "XAUTOCLAIM");
  const nowMs = Math.floor(nowUs / 1000);
  const claimed: StreamEntry[] = [];
  const deleted: string[] = [];
  const candidates = [...state.pending.values()]
    .filter(({ id, deliveredMs }) => compareStreamIds(id, from) >= 0 && nowMs - deliveredMs >= idleMs)
    .sort((a, b) => compareStreamIds(a.id, b.id))
    .slice(0, limit);
  for (const { id } of candidates) {
    const name = formatStreamId(id);
    const entry = stream?.entries.find((each) => compareStreamIds(each.id, id) === 0);
    if (entry === undefined) {
      state.pending.delete(name);
      deleted.push(name);
    } else {
      state.pending.set(name, { id, consumer, deliveredMs: nowMs });
      claimed.push(entry);
    }
  }
  return ["0-0", claimed.map(entryReply), deleted];
}

function entryReply({ id, fields }: StreamEntry): Reply {
  return [formatStreamId(id), [...fields]];
}
