/**
 * The Redis Functions library: the logic compiled to Lua, for any Redis from 7.0 on and Valkey.
 *
 * Each export becomes a function, `presence_` before its name. It takes its arguments as ARGV, `d` in ms first where it
 * needs it. Which keys it touches follows from the data. In a cluster it is given one key, the gate of the partition that
 * it is to work in; all that it touches lies in that key's slot.
 */
import { HEARTBEAT_KEY } from "../../packages/protocol/src/redis-keys.ts";
import { LIBRARY_VERSION } from "./library-version.ts";
import { readHeartbeat } from "./presence/entry.ts";
import { forget as forgetServer, unwatch as stopWatching } from "./presence/interest.ts";
import { GATE_KEY } from "./presence/keys.ts";
import {
  applyHeartbeat,
  checkLeases,
  join as joinServer,
  leave as leaveServer,
  read as readPresence,
  sweep as sweepLeases,
} from "./presence/presence.ts";
import { listOf, type Redis, textOf, valuesOf, withPrefix } from "./presence/redis.ts";
import { readClock } from "./presence/redis-time.ts";
import { type Timing, timingOf } from "./presence/timing.ts";

/** What a Redis Functions library finds in its environment. */
declare const redis: Pick<Redis, "call"> & { pcall: Redis["attempt"] };
declare const string: { find: (this: void, text: string, pattern: string) => unknown };
declare const cjson: { decode: (this: void, json: string) => unknown };
declare const pcall: <Result>(this: void, call: (this: void) => Result) => LuaMultiReturn<[boolean, Result]>;

const GROUP = "presence";
/** One name for all hosts: as reading and acknowledging are one step, nothing is ever left with one of them. */
const CONSUMER = "triggers";
/** How many clients' heartbeats one call works off, about: Redis serves nobody else meanwhile. */
const MAX_CLIENTS = 1000;
/** How many entries are read at once: few, as each may name hundreds of clients. */
const READ_AT_ONCE = 2;
/** How many entries one call works off: those without clients cost something, too. */
const MAX_ENTRIES = 50;
/** How many entries one call takes over from a reader that has gone. */
const CLAIMED_AT_ONCE = "20";
/** Pending for so long, an entry's reader is gone, in ms. */
const CLAIMED_AFTER = "10000";
/** Where in its arguments `read` finds whom to watch. */
const WATCHED_FROM = 3;

/** Longer is no id. */
const MAX_ID_LENGTH = 64;
const ID_PATTERN = "^[A-Za-z0-9._~-]+$";

const whole: Redis = { call: redis.call, attempt: redis.pcall, contactsIn, isLegalId };

/** The partition that a call is to work in: without a key, all there is. */
interface Partition {
  inside: Redis;
  heartbeatKey: string;
}

function partitionIn(keys: readonly string[]): Partition {
  const gate = keys[0];
  if (gate === undefined) return { inside: whole, heartbeatKey: HEARTBEAT_KEY };
  const prefix = gate.slice(0, gate.length - GATE_KEY.length);
  return { inside: withPrefix(whole, prefix), heartbeatKey: prefix + HEARTBEAT_KEY };
}

function contactsIn(this: void, json: string): string[] {
  const [isJson, value] = pcall(() => cjson.decode(json));
  const contacts: string[] = [];
  if (!isJson || typeof value !== "object" || value === null) return contacts;
  const { contacts: listed } = value as { contacts?: unknown };
  if (typeof listed !== "object" || listed === null) return contacts;
  for (const contact of listOf(listed)) if (typeof contact === "string") contacts.push(contact);
  return contacts;
}

function isLegalId(this: void, id: string): boolean {
  return id.length <= MAX_ID_LENGTH && string.find(id, ID_PATTERN) !== undefined;
}

function timingIn(args: readonly string[]): Timing {
  return timingOf(Number(args[0]));
}

/**
 * Reads what nobody has read yet of the heartbeat stream, applies and acknowledges it, in one step: no host can die with
 * an entry half done, and any number of them share the work. Entries older than a lease can't change anything any more,
 * and are trimmed.
 *
 * @param args `d`
 * @returns `1` where there is more to do, else `0`; and the id of the stream's last entry
 */
export function work(this: void, keys: string[], args: string[]): string[] {
  const partition = partitionIn(keys);
  const isMore = processBacklog(partition, timingIn(args));
  const last = valuesOf(valuesOf(redis.call("XREVRANGE", partition.heartbeatKey, "+", "-", "COUNT", "1"))[0]);
  return [isMore ? "1" : "0", textOf(last[0]) ?? "0-0"];
}

/**
 * Takes over entries that a reader of the group left unacknowledged. Hosts leave none; another program, or a call that
 * Redis broke off, may.
 *
 * @param args `d`
 * @returns how many there were
 */
export function claim(this: void, keys: string[], args: string[]): number {
  const partition = partitionIn(keys);
  const reply = redis.pcall(
    "XAUTOCLAIM",
    partition.heartbeatKey,
    GROUP,
    CONSUMER,
    CLAIMED_AFTER,
    "0-0",
    "COUNT",
    CLAIMED_AT_ONCE,
  );
  const entries = isError(reply) ? [] : valuesOf(valuesOf(reply)[1]);
  applyEntries(partition, timingIn(args), entries);
  return entries.length;
}

/** @returns whether there may be more than one call is to do */
function processBacklog(partition: Partition, timing: Timing): boolean {
  const { inside, heartbeatKey } = partition;
  let clientCount = 0;
  let entryCount = 0;
  let isMore = true;
  while (isMore && clientCount < MAX_CLIENTS && entryCount < MAX_ENTRIES) {
    const entries = readNew(partition);
    clientCount += applyEntries(partition, timing, entries);
    entryCount += entries.length;
    isMore = entries.length === READ_AT_ONCE;
  }
  if (entryCount > 0) redis.call("XTRIM", heartbeatKey, "MINID", "~", String(readClock(inside).ms - timing.leaseMs));
  return isMore;
}

function readNew({ heartbeatKey }: Partition): readonly unknown[] {
  const words = ["GROUP", GROUP, CONSUMER, "COUNT", String(READ_AT_ONCE), "STREAMS", heartbeatKey, ">"];
  let reply = redis.pcall("XREADGROUP", ...words);
  if (isError(reply)) {
    redis.call("XGROUP", "CREATE", heartbeatKey, GROUP, "0", "MKSTREAM");
    reply = redis.call("XREADGROUP", ...words);
  }
  return valuesOf(valuesOf(valuesOf(reply)[0])[1]);
}

function isError(reply: unknown): boolean {
  return typeof reply === "object" && reply !== null && (reply as { err?: unknown }).err !== undefined;
}

/** @returns how many clients they name */
function applyEntries({ inside, heartbeatKey }: Partition, timing: Timing, entries: readonly unknown[]): number {
  let clientCount = 0;
  for (const entry of entries) {
    const id = textOf(valuesOf(entry)[0]) ?? "";
    const heartbeat = readHeartbeat(Number(id.split("-")[0]), valuesOf(valuesOf(entry)[1]));
    if (heartbeat !== undefined) {
      applyHeartbeat(inside, timing, heartbeat);
      clientCount += heartbeat.clients.length;
    }
    redis.call("XACK", heartbeatKey, GROUP, id);
  }
  return clientCount;
}

export function version(this: void): number {
  return LIBRARY_VERSION;
}

/**
 * @param args `d`; clients whose leases something happened to
 * @returns whether nothing has been checked yet, as there were too many heartbeats to work off first
 */
export function check(this: void, keys: string[], args: string[]): boolean {
  const partition = partitionIn(keys);
  const timing = timingIn(args);
  if (processBacklog(partition, timing)) return true;
  checkLeases(partition.inside, timing, args.slice(1));
  return false;
}

/**
 * Works off the heartbeat stream first: nobody is declared dead whose heartbeat is waiting to be read.
 *
 * @param args `d`, the run of the Redis process
 * @returns Redis's clock and when to sweep next, in ms since the epoch; the latter empty for never
 */
export function sweep(this: void, keys: string[], args: string[]): string[] {
  const partition = partitionIn(keys);
  const timing = timingIn(args);
  if (processBacklog(partition, timing)) {
    const now = String(readClock(partition.inside).ms);
    return [now, now];
  }
  const { nowMs, nextMs } = sweepLeases(partition.inside, timing, args[1] ?? "");
  return [String(nowMs), nextMs === undefined ? "" : String(nextMs)];
}

/** @param args `d`, the server */
export function join(this: void, keys: string[], args: string[]): void {
  joinServer(partitionIn(keys).inside, timingIn(args), args[1] ?? "");
}

/** @param args `d`, the server, the client */
export function leave(this: void, keys: string[], args: string[]): void {
  const partition = partitionIn(keys);
  const timing = timingIn(args);
  processBacklog(partition, timing);
  leaveServer(partition.inside, timing, args[1] ?? "", args[2] ?? "");
}

/** @param args the server, an epoch in case there is none, how many of what follows are to be watched, these; the clients */
export function read(this: void, keys: string[], args: string[]): string[] {
  const clientsFrom = WATCHED_FROM + Number(args[2]);
  return readPresence(
    partitionIn(keys).inside,
    args[0] ?? "",
    args[1] ?? "",
    args.slice(WATCHED_FROM, clientsFrom),
    args.slice(clientsFrom),
  );
}

/** @param args the server; whom it no longer watches */
export function unwatch(this: void, keys: string[], args: string[]): void {
  stopWatching(partitionIn(keys).inside, args[0] ?? "", args.slice(1));
}

/**
 * Works off the heartbeat stream first, as what the server said last would make it known again.
 *
 * @param args `d`, the server
 * @returns whether there is more to forget
 */
export function forget(this: void, keys: string[], args: string[]): boolean {
  const partition = partitionIn(keys);
  processBacklog(partition, timingIn(args));
  return !forgetServer(partition.inside, args[1] ?? "");
}
