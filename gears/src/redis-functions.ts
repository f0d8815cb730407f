/**
 * The Redis Functions library: the logic compiled to Lua, for Redis from 7.0 on and Valkey.
 *
 * Each export becomes a function with the prefix `presence_`. Its ARGV are the arguments; the first is `d` in ms, if it
 * needs `d`. Its keys depend on the data, so KEYS does not list them. In a cluster, KEYS[1] is the partition's `GATE_KEY`,
 * and all keys that the function uses are in the same slot.
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

/** The environment of a Redis Functions library. */
declare const redis: Pick<Redis, "call"> & { pcall: Redis["attempt"] };
declare const string: { find: (this: void, text: string, pattern: string) => unknown };
declare const cjson: { decode: (this: void, json: string) => unknown };
declare const pcall: <Result>(this: void, call: (this: void) => Result) => LuaMultiReturn<[boolean, Result]>;

const GROUP = "presence";
/** One consumer for all hosts. Reading and acknowledging are one step, so no host leaves pending entries. */
const CONSUMER = "triggers";
/** About how many clients one call processes. Redis serves no other client during a call. */
const MAX_CLIENTS = 1000;
/** How many entries one read returns. Few, because each may contain hundreds of clients. */
const ENTRIES_PER_READ = 2;
/** How many entries one call processes, because entries without clients have a cost too. */
const MAX_ENTRIES = 50;
/** How many pending entries of a dead consumer one call claims. */
const MAX_CLAIMED_PER_CALL = "20";
/** An entry that is pending for longer than this belongs to a dead consumer, in ms. */
const CLAIM_MIN_IDLE_MS = "10000";
/** The index of the first watched name in the arguments of `read`. */
const FIRST_WATCHED = 3;

const MAX_ID_LENGTH = 64;
const ID_PATTERN = "^[A-Za-z0-9._~-]+$";

const unprefixed: Redis = { call: redis.call, attempt: redis.pcall, contactsIn, isLegalId };

/** The partition of a call. A call without a key uses keys without a prefix. */
interface Partition {
  scopedRedis: Redis;
  heartbeatKey: string;
}

function partitionIn(keys: readonly string[]): Partition {
  const gate = keys[0];
  if (gate === undefined) return { scopedRedis: unprefixed, heartbeatKey: HEARTBEAT_KEY };
  const prefix = gate.slice(0, gate.length - GATE_KEY.length);
  return { scopedRedis: withPrefix(unprefixed, prefix), heartbeatKey: prefix + HEARTBEAT_KEY };
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
 * Reads new entries of the heartbeat stream, applies and acknowledges them, in one step. So a host cannot crash in the
 * middle of an entry, and any number of hosts can share a stream. Trims entries older than a lease, which have no effect.
 *
 * @param args `d`
 * @returns `1` if there is more to process, else `0`; and the id of the stream's last entry
 */
export function work(this: void, keys: string[], args: string[]): string[] {
  const partition = partitionIn(keys);
  const isMore = processBacklog(partition, timingIn(args));
  const last = valuesOf(valuesOf(redis.call("XREVRANGE", partition.heartbeatKey, "+", "-", "COUNT", "1"))[0]);
  return [isMore ? "1" : "0", textOf(last[0]) ?? "0-0"];
}

/**
 * Claims and applies pending entries of other consumers. Hosts leave none, but another program or a call that Redis
 * aborted may.
 *
 * @param args `d`
 * @returns the number of entries
 */
export function claim(this: void, keys: string[], args: string[]): number {
  const partition = partitionIn(keys);
  const reply = redis.pcall(
    "XAUTOCLAIM",
    partition.heartbeatKey,
    GROUP,
    CONSUMER,
    CLAIM_MIN_IDLE_MS,
    "0-0",
    "COUNT",
    MAX_CLAIMED_PER_CALL,
  );
  const entries = isError(reply) ? [] : valuesOf(valuesOf(reply)[1]);
  applyEntries(partition, timingIn(args), entries);
  return entries.length;
}

/** @returns whether entries may be left, because this call reached its limit */
function processBacklog(partition: Partition, timing: Timing): boolean {
  const { scopedRedis, heartbeatKey } = partition;
  let clientCount = 0;
  let entryCount = 0;
  let isMore = true;
  while (isMore && clientCount < MAX_CLIENTS && entryCount < MAX_ENTRIES) {
    const entries = readNew(partition);
    clientCount += applyEntries(partition, timing, entries);
    entryCount += entries.length;
    isMore = entries.length === ENTRIES_PER_READ;
  }
  if (entryCount > 0)
    redis.call("XTRIM", heartbeatKey, "MINID", "~", String(readClock(scopedRedis).ms - timing.leaseMs));
  return isMore;
}

function readNew({ heartbeatKey }: Partition): readonly unknown[] {
  const args = ["GROUP", GROUP, CONSUMER, "COUNT", String(ENTRIES_PER_READ), "STREAMS", heartbeatKey, ">"];
  let reply = redis.pcall("XREADGROUP", ...args);
  if (isError(reply)) {
    redis.call("XGROUP", "CREATE", heartbeatKey, GROUP, "0", "MKSTREAM");
    reply = redis.call("XREADGROUP", ...args);
  }
  return valuesOf(valuesOf(valuesOf(reply)[0])[1]);
}

function isError(reply: unknown): boolean {
  return typeof reply === "object" && reply !== null && (reply as { err?: unknown }).err !== undefined;
}

/** @returns the number of clients in the entries */
function applyEntries({ scopedRedis, heartbeatKey }: Partition, timing: Timing, entries: readonly unknown[]): number {
  let clientCount = 0;
  for (const entry of entries) {
    const id = textOf(valuesOf(entry)[0]) ?? "";
    const heartbeat = readHeartbeat(Number(id.split("-")[0]), valuesOf(valuesOf(entry)[1]));
    if (heartbeat !== undefined) {
      applyHeartbeat(scopedRedis, timing, heartbeat);
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
 * Processes the heartbeat stream, then reconciles clients with their leases.
 *
 * @param args `d`; clients whose leases may have changed
 * @returns whether the stream has more entries; then nothing was checked, and the caller must call again
 */
export function check(this: void, keys: string[], args: string[]): boolean {
  const partition = partitionIn(keys);
  const timing = timingIn(args);
  if (processBacklog(partition, timing)) return true;
  checkLeases(partition.scopedRedis, timing, args.slice(1));
  return false;
}

/**
 * Processes the heartbeat stream first, so that no lease ends while its client's heartbeat is unread.
 *
 * @param args `d`
 * @returns Redis's clock and the time of the next sweep, in ms since the epoch; the latter is empty if there are no leases
 */
export function sweep(this: void, keys: string[], args: string[]): string[] {
  const partition = partitionIn(keys);
  const timing = timingIn(args);
  if (processBacklog(partition, timing)) {
    const now = String(readClock(partition.scopedRedis).ms);
    return [now, now];
  }
  const { nowMs, nextMs } = sweepLeases(partition.scopedRedis, timing);
  return [String(nowMs), nextMs === undefined ? "" : String(nextMs)];
}

/** @param args `d`, the server */
export function join(this: void, keys: string[], args: string[]): void {
  joinServer(partitionIn(keys).scopedRedis, timingIn(args), args[1] ?? "");
}

/** @param args `d`, the server, the client */
export function leave(this: void, keys: string[], args: string[]): void {
  const partition = partitionIn(keys);
  const timing = timingIn(args);
  processBacklog(partition, timing);
  leaveServer(partition.scopedRedis, timing, args[1] ?? "", args[2] ?? "");
}

/** @param args the server, the epoch to start if there is none, the number of watched names, the names; the clients */
export function read(this: void, keys: string[], args: string[]): string[] {
  const firstClient = FIRST_WATCHED + Number(args[2]);
  return readPresence(
    partitionIn(keys).scopedRedis,
    args[0] ?? "",
    args[1] ?? "",
    args.slice(FIRST_WATCHED, firstClient),
    args.slice(firstClient),
  );
}

/** @param args the server; the names that it no longer watches */
export function unwatch(this: void, keys: string[], args: string[]): void {
  stopWatching(partitionIn(keys).scopedRedis, args[0] ?? "", args.slice(1));
}

/**
 * Processes the heartbeat stream first, because an unread heartbeat of the server would register it again.
 *
 * @param args `d`, the server
 * @returns whether state is left to remove
 */
export function forget(this: void, keys: string[], args: string[]): boolean {
  const partition = partitionIn(keys);
  processBacklog(partition, timingIn(args));
  return !forgetServer(partition.scopedRedis, args[1] ?? "");
}
