import { type CommandTable, growingWrite, readCommand, shrinkingWrite } from "./command.ts";
import type { Keyspace } from "./keyspace.ts";
import { OK, parseInteger, type Reply, ReplyError, syntaxError } from "./reply.ts";

const MICROSECONDS = 1000;
const NO_KEY = -2;
const NO_EXPIRY = -1;

/** Commands on strings, and on keys of any type. */
export const STRING_COMMANDS: CommandTable = {
  GET: readCommand(1, ({ keyspace }, [key = ""]) => keyspace.get("string", key) ?? null),

  MGET: readCommand(-1, ({ keyspace }, keys) =>
    keys.map((key) => (keyspace.typeOf(key) === "string" ? (keyspace.get("string", key) ?? null) : null)),
  ),

  SET: growingWrite(-2, ({ keyspace, nowUs }, [key = "", value = "", ...options]) => {
    const { isOnlyNew, expiresAtMs } = parseSetOptions(options, nowUs / MICROSECONDS);
    if (isOnlyNew && keyspace.typeOf(key) !== undefined) return null;
    keyspace.setString(key, value, expiresAtMs);
    return OK;
  }),

  DEL: shrinkingWrite(-1, ({ keyspace }, keys) => count(keys, (key) => keyspace.delete(key))),

  EXISTS: readCommand(-1, ({ keyspace }, keys) => count(keys, (key) => keyspace.typeOf(key) !== undefined)),

  TYPE: readCommand(1, ({ keyspace }, [key = ""]) => keyspace.typeOf(key) ?? "none"),

  PEXPIREAT: shrinkingWrite(2, ({ keyspace }, [key = "", time]) => {
    const expiresAtMs = parseInteger(time);
    return keyspace.expireAt(key, expiresAtMs) ? 1 : 0;
  }),

  PEXPIRETIME: readCommand(1, ({ keyspace }, [key = ""]) => expiryReply(keyspace, key)),

  TIME: readCommand(0, ({ nowUs }) => [String(Math.floor(nowUs / 1_000_000)), String(Math.floor(nowUs % 1_000_000))]),

  FLUSHALL: shrinkingWrite(0, ({ keyspace }) => {
    keyspace.clear();
    return OK;
  }),
};

function parseSetOptions(options: readonly string[], nowMs: number) {
  const isOnlyNew = options.some((option) => option.toUpperCase() === "NX");
  const expiry = options.filter((option) => option.toUpperCase() !== "NX");
  return { isOnlyNew, expiresAtMs: parseExpiry(expiry, nowMs) };
}

/** `PX` with a duration, `PXAT` with a time, or nothing. */
function parseExpiry([option, text, ...rest]: readonly string[], nowMs: number): number | undefined {
  if (option === undefined) return undefined;
  const unit = option.toUpperCase();
  if ((unit !== "PX" && unit !== "PXAT") || text === undefined || rest.length > 0) throw syntaxError();
  const time = parseInteger(text);
  if (time <= 0) throw new ReplyError("ERR invalid expire time in 'set' command");
  return unit === "PX" ? Math.floor(nowMs) + time : time;
}

function expiryReply(keyspace: Keyspace, key: string): Reply {
  const expiresAtMs = keyspace.expiryOf(key);
  if (expiresAtMs === null) return NO_KEY;
  return expiresAtMs ?? NO_EXPIRY;
}

export function count(items: readonly string[], isCounted: (item: string) => boolean): number {
  let counted = 0;
  for (const item of items) if (isCounted(item)) counted += 1;
  return counted;
}
