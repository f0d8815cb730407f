/**
 * The presence platform: takes heartbeats, keeps leases and publishes presence events.
 *
 * Each function runs inside Redis and is atomic. A client is online exactly while its record says so. Each function that
 * changes a record publishes the event in the same step. So heartbeats, keyspace notifications and the deadline clock may
 * all detect the same change, and it is published once.
 */
import { LEASE_KEY_PREFIX, leaseKey } from "../../../packages/protocol/src/redis-keys.ts";
import { announce, type Change, deleteIfWrongType, nextVersion, type Reason } from "./announce.ts";
import {
  batchOf,
  deadlinesOf,
  dissolve,
  dueBy,
  isBatch,
  isUnchanged,
  keepDeadline,
  MAX_DISSOLVED_PER_CALL,
  NO_DEADLINE,
  newcomersOf,
  nextDeadlineMs,
  removeDeadlines,
  replaceClients,
  setBatchDeadline,
  setDeadline,
} from "./deadlines.ts";
import { addList, forget, isExternalServer, watch } from "./interest.ts";
import {
  EXTERNAL_SERVERS_KEY,
  GUESTS_KEY,
  holdersKey,
  RECORDS_KEY,
  SEQUENCES_KEY,
  SERVERS_KEY,
  STATE_KEY,
} from "./keys.ts";
import { type ClientRecord, forEachRecord, readRecord, writeRecord } from "./record.ts";
import { inChunks, listOf, numberOf, type Redis, scoreOf, textOf, valuesOf } from "./redis.ts";
import { readRunId } from "./redis-run.ts";
import { type RedisTime, readClock } from "./redis-time.ts";
import type { Timing } from "./timing.ts";

/** One entry of the heartbeat stream. */
export interface Heartbeat {
  /** When it was written, ms since the epoch: the time in its stream entry's id. */
  atMs: number;
  server: string;
  clients: readonly string[];
}

/** How many leases one sweep ends. Redis serves no other client during a call. */
const MAX_SWEPT_PER_CALL = 150;
/** If the last sweep is older than this, in heartbeat intervals, then Redis or all trigger hosts had an outage. */
const OUTAGE_INTERVALS = 0.3;
/** The minimum of that age, in ms, because delays on a busy machine are not an outage. */
const MIN_OUTAGE_MS = 250;
/** How long no lease ends after an outage, in intervals: one for the servers' next heartbeats, plus slack. */
const HOLD_INTERVALS = 1.25;
/** Replies of `PEXPIRETIME`: the key has no expiry, or does not exist. */
const NO_EXPIRY = -1;
const NO_KEY = -2;

/**
 * Sets or renews the leases of a heartbeat's clients. A lease starts at the time of the stream entry, so a heartbeat that
 * is older than a lease changes nothing.
 */
export function applyHeartbeat(redis: Redis, timing: Timing, { atMs, server, clients }: Heartbeat): void {
  if (!redis.isLegalId(server)) return;
  const now = readClock(redis);
  const deadlineMs = Math.min(atMs, now.ms) + timing.leaseMs;
  if (deadlineMs <= now.ms) return;
  const isLatest = recordServer(redis, server, deadlineMs);
  const renewal: Renewal = { server, atMs, deadlineMs };
  inChunks(clients, (chunk) => {
    if (!isLatest) renewFromOldEntry(redis, now, renewal, chunk);
    else if (chunk.length > 1) renewBatch(redis, now, renewal, chunk);
    else renewSingly(redis, now, renewal, chunk);
  });
}

/** How a heartbeat changes the leases of its clients. */
interface Renewal {
  server: string;
  atMs: number;
  deadlineMs: number;
}

/** The common case, which must be fast: the same clients as in the last heartbeat, with one deadline for all. */
function renewBatch(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): void {
  const areAllHeld = renewLeases(redis, now, renewal, clients);
  const batch = batchOf(renewal.server, clients);
  if (!areAllHeld || !isUnchanged(redis, batch)) {
    const newcomers = newcomersOf(redis, batch);
    const admitted = admit(redis, now, renewal.server, newcomers);
    const isAnyRejected = admitted.length < newcomers.length;
    const members = isAnyRejected ? clients.filter((client) => redis.isLegalId(client)) : clients;
    replaceClients(redis, { name: batch.name, clients: members }, admitted);
  }
  setBatchDeadline(redis, batch, renewal.deadlineMs);
}

function renewSingly(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): void {
  renewLeases(redis, now, renewal, clients);
  for (const client of admit(redis, now, renewal.server, clients)) setDeadline(redis, client, renewal.deadlineMs);
}

/** Applies an entry after a later entry of its server. It must not shorten the leases that the later one renewed. */
function renewFromOldEntry(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): void {
  for (const client of clients) {
    if (endOf(redis, client) < renewal.deadlineMs) renewSingly(redis, now, renewal, [client]);
  }
}

/**
 * Renews the leases that the server holds, and takes over the others.
 *
 * @returns whether the server held all of them
 */
function renewLeases(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): boolean {
  const { server, deadlineMs } = renewal;
  const deadline = String(deadlineMs);
  const { call } = redis;
  const keys: string[] = [];
  // Most of a heartbeat's time is spent in this function: read the length once, and avoid `map` and its calls.
  const length = clients.length;
  for (let index = 0; index < length; index += 1) keys[index] = LEASE_KEY_PREFIX + clients[index];
  const holders = valuesOf(call("MGET", ...keys));
  const others: string[] = [];
  for (let index = 0; index < length; index += 1) {
    // Half the cost of SET, because Redis keeps the value.
    if (holders[index] === server) call("PEXPIREAT", keys[index] ?? "", deadline);
    else others.push(clients[index] ?? "");
  }
  takeOver(redis, now, renewal, others);
  return others.length === 0;
}

/** Takes over leases that another server holds, and creates missing ones. Sets no deadlines for new clients. */
function takeOver(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): void {
  if (clients.length === 0) return;
  const { server, atMs, deadlineMs } = renewal;
  const arrivals: Change[] = [];
  const legal = clients.filter((client) => redis.isLegalId(client));
  forEachRecord(redis, uniqueOf(legal), (client, record) => {
    // The heartbeat was written before the client signed out or its last lease ended, and was read later.
    const isStale = record?.status === "OFFLINE" && atMs < record.at;
    if (isStale) return;
    if (record?.status === "ONLINE") {
      takeOverLive(redis, renewal, client, record);
      return;
    }
    redis.call("SET", leaseKey(client), server, "PXAT", String(deadlineMs));
    arrivals.push(arrivalOf(client, server, record));
  });
  announce(redis, now, "ONLINE", arrivals);
}

function takeOverLive(redis: Redis, renewal: Renewal, client: string, record: ClientRecord): void {
  const { server, deadlineMs } = renewal;
  if (isExternalServer(redis, server)) addList(redis, server, client);
  const holder = textOf(redis.attempt("GET", leaseKey(client)));
  const heldUntilMs = endOf(redis, client);
  const isHeldLonger = holder !== undefined && heldUntilMs > deadlineMs;
  if (!isHeldLonger) {
    redis.call("SET", leaseKey(client), server, "PXAT", String(deadlineMs));
    writeRecord(redis, client, { ...record, server });
  }
  if (holder === undefined || holder === server) return;
  recordHolders(redis, client, { server: holder, deadlineMs: heldUntilMs }, { server, deadlineMs });
}

/**
 * Deletes the leases of invalid ids. Publishes `ONLINE` for a client whose lease an external program created, unless the
 * keyspace notification was faster.
 *
 * @returns the clients whose leases end at the heartbeat's deadline: without invalid ids, and without the clients whose
 * lease from another server ends later
 */
function admit(redis: Redis, now: RedisTime, server: string, clients: readonly string[]): string[] {
  const admitted: string[] = [];
  const arrivals: Change[] = [];
  forEachRecord(redis, uniqueOf(clients), (client, record) => {
    if (record?.status === "ONLINE") {
      if (record.server === server) admitted.push(client);
    } else if (!redis.isLegalId(client)) redis.call("DEL", leaseKey(client));
    else {
      admitted.push(client);
      if (textOf(redis.attempt("GET", leaseKey(client))) === server) arrivals.push(arrivalOf(client, server, record));
    }
  });
  announce(redis, now, "ONLINE", arrivals);
  return admitted;
}

/** A client signs out at `server`. It is `OFFLINE` now, unless another server holds a lease as well. */
export function leave(redis: Redis, timing: Timing, server: string, client: string): void {
  if (!redis.isLegalId(client)) return;
  checkLeases(redis, timing, [client]);
  const now = readClock(redis);
  const other = findOtherHolder(redis, now, server, client);
  if (other !== undefined) {
    redis.call("SET", leaseKey(client), other.server, "PXAT", String(other.deadlineMs));
    setDeadline(redis, client, other.deadlineMs);
    const record = readRecord(redis, client);
    if (record !== undefined) writeRecord(redis, client, { ...record, server: other.server });
    return;
  }
  const record = readRecord(redis, client);
  if (record?.status === "ONLINE") {
    end(redis, now, [endingOf(client, record, "left")]);
    return;
  }
  redis.call("DEL", leaseKey(client), holdersKey(client));
  removeDeadlines(redis, [client]);
  // A heartbeat for it may still be unread in the stream. It is older than this record, so it is ignored.
  const { version = "0", previous = "0" } = record ?? {};
  writeRecord(redis, client, { status: "OFFLINE", at: now.ms, version, previous, server });
}

/** Reconciles the records with the leases, after leases may have been changed by an external program. */
export function checkLeases(redis: Redis, timing: Timing, clients: readonly string[]): void {
  const now = readClock(redis);
  const legal = clients.filter((client) => redis.isLegalId(client));
  let isAnyHeld: boolean | undefined;
  reconcileWithLeases(redis, timing, now, uniqueOf(legal), () => {
    isAnyHeld ??= isHeld(redis, timing, now);
    return isAnyHeld;
  });
}

/** @param mayNotEnd whether expired leases must not end yet; called only if there are any */
function reconcileWithLeases(
  redis: Redis,
  timing: Timing,
  now: RedisTime,
  clients: readonly string[],
  mayNotEnd: () => boolean,
): void {
  if (clients.length === 0) return;
  const holders = holdersOf(redis, clients);
  const deadlines = deadlinesOf(redis, clients);
  const reasonOf = createReasons(redis, now);
  const arrivals: Change[] = [];
  const endings: Change[] = [];
  const alreadyOffline: string[] = [];
  forEachRecord(redis, clients, (client, record, index) => {
    const server = textOf(holders[index]);
    const leaseEndMs = server === undefined ? undefined : endOfLease(redis, timing, now, client);
    // Redis still returns a key in the millisecond in which it expires.
    if (server !== undefined && leaseEndMs !== undefined && leaseEndMs > now.ms) {
      if (record?.status === "ONLINE") keepDeadline(redis, client, leaseEndMs);
      else {
        setDeadline(redis, client, leaseEndMs);
        arrivals.push(arrivalOf(client, server, record));
      }
      return;
    }
    if (record?.status !== "ONLINE") {
      alreadyOffline.push(client);
      return;
    }
    const dueMs = leaseEndMs ?? deadlines[index] ?? NO_DEADLINE;
    if (dueMs > now.ms) endings.push(endingOf(client, record, "left"));
    else if (!mayNotEnd()) {
      const ending = endingOf(client, record, reasonOf(record.server));
      ending.dueMs = dueMs === NO_DEADLINE ? now.ms : dueMs;
      endings.push(ending);
    }
  });
  removeDeadlines(redis, alreadyOffline);
  end(redis, now, endings);
  announce(redis, now, "ONLINE", arrivals);
}

/** Removes duplicates, so that each client has one event. */
function uniqueOf(clients: readonly string[]): string[] {
  return [...new Set(clients)];
}

/** For each client the raw reply of `MGET`: the holder of its lease, or no string if there is none. */
function holdersOf(redis: Redis, clients: readonly string[]): unknown[] {
  const holders: unknown[] = [];
  inChunks(clients, (chunk) => {
    const replies = valuesOf(redis.call("MGET", ...chunk.map((client) => leaseKey(client))));
    // A missing value is `false` in Lua and `null` in JavaScript. Neither ends a list, as nil would in Lua.
    for (let index = 0; index < chunk.length; index += 1) holders.push(replies[index] ?? null);
  });
  return holders;
}

/** The result of a sweep. */
export interface Sweep {
  /** Redis's clock, ms since the epoch. */
  nowMs: number;
  /** When to sweep next, in ms since the epoch: `nowMs` if this sweep left work, `undefined` if there are no leases. */
  nextMs: number | undefined;
}

/**
 * Ends expired leases, and removes the state of lost servers. Call it after the heartbeat stream has been processed: when
 * the next lease is due, and at least every `OUTAGE_INTERVALS`, because a longer gap counts as an outage.
 *
 * After an outage, all leases may have expired although their clients are connected. So no lease ends for the time of
 * `HOLD_INTERVALS`, until the servers have sent heartbeats again.
 */
export function sweep(redis: Redis, timing: Timing): Sweep {
  const now = readClock(redis);
  detectOutage(redis, timing, now);
  const heldUntilMs = numberOf(textOf(redis.call("HGET", STATE_KEY, "hold")));
  if (heldUntilMs > now.ms) return { nowMs: now.ms, nextMs: heldUntilMs };
  const isAllSwept = sweepDue(redis, timing, now);
  const isAllForgotten = forgetLostServers(redis, timing, now);
  return { nowMs: now.ms, nextMs: isAllSwept && isAllForgotten ? nextDeadlineMs(redis) : now.ms };
}

/** @returns whether nothing is due any more */
function sweepDue(redis: Redis, timing: Timing, now: RedisTime): boolean {
  const batches = dueBy(redis, now.ms, MAX_SWEPT_PER_CALL).filter((name) => isBatch(name));
  for (const batch of batches.slice(0, MAX_DISSOLVED_PER_CALL)) dissolve(redis, batch);
  const due = dueBy(redis, now.ms, MAX_SWEPT_PER_CALL);
  const clients = due.filter((name) => !isBatch(name));
  reconcileWithLeases(redis, timing, now, clients, () => false);
  return due.length < MAX_SWEPT_PER_CALL && batches.length <= MAX_DISSOLVED_PER_CALL;
}

/** Registers a server before its first heartbeat. A server that never joins counts as an external server. */
export function join(redis: Redis, timing: Timing, server: string): void {
  if (!redis.isLegalId(server)) return;
  redis.call("ZADD", SERVERS_KEY, String(readClock(redis).ms + timing.leaseMs), server);
  redis.call("SREM", EXTERNAL_SERVERS_KEY, server);
}

/**
 * Adds `watched` to what `server` watches, and returns a snapshot of `clients`. The snapshot contains every event up to its
 * version. Every later event of a watched client goes to the server's stream.
 *
 * @param newEpoch the epoch to start if there is none
 * @returns Redis's clock in ms, `version`, `epoch`, `sequence` (the number of the last event on the server's stream), the
 * version of the last event with which a guest went offline, and `1` if the server has joined and was not forgotten since,
 * else `0`; then for each of `clients` its record or an empty string; then each online guest and its record
 */
export function read(
  redis: Redis,
  server: string,
  newEpoch: string,
  watched: readonly string[],
  clients: readonly string[],
): string[] {
  const now = readClock(redis);
  const isKnown = scoreOf(redis.call("ZSCORE", SERVERS_KEY, server)) !== undefined && !isExternalServer(redis, server);
  // Registers the server, so that its state is removed even if it sends no heartbeat.
  redis.call("ZADD", SERVERS_KEY, "NX", String(now.ms), server);
  deleteIfWrongType(redis, server);
  watch(redis, server, watched);
  redis.call("HSETNX", STATE_KEY, "epoch", newEpoch);
  const sequence = readSequence(redis, now, server, isKnown);
  const reply = [
    String(now.ms),
    nextVersion(redis, now),
    textOf(redis.call("HGET", STATE_KEY, "epoch")) ?? newEpoch,
    String(sequence),
    textOf(redis.call("HGET", STATE_KEY, "guestsLeft")) ?? "0",
    isKnown ? "1" : "0",
  ];
  inChunks(clients, (chunk) => {
    const records = valuesOf(redis.call("HMGET", RECORDS_KEY, ...chunk));
    for (let index = 0; index < chunk.length; index += 1) reply.push(textOf(records[index]) ?? "");
  });
  for (const guest of listOf(redis.call("SMEMBERS", GUESTS_KEY))) {
    reply.push(guest, textOf(redis.call("HGET", RECORDS_KEY, guest)) ?? "");
  }
  return reply;
}

/**
 * The number of the last event on the server's stream. A new count starts at the current time: a server that was forgotten,
 * or whose Redis lost its data, must not take the entries of the new count for the next ones of the old.
 */
function readSequence(redis: Redis, now: RedisTime, server: string, isKnown: boolean): number {
  const last = numberOf(textOf(redis.call("HGET", SEQUENCES_KEY, server)));
  if (isKnown && last > 0) return last;
  const sequence = Math.max(last, now.ms);
  redis.call("HSET", SEQUENCES_KEY, server, String(sequence));
  return sequence;
}

/** @param before the client's record before the change */
function arrivalOf(client: string, server: string, before: ClientRecord | undefined): Change {
  return { client, reason: "connected", server, before };
}

/** @param before the client's record before the change; its status is `ONLINE` */
function endingOf(client: string, before: ClientRecord, reason: Reason): Change {
  return { client, reason, server: before.server, before };
}

function end(redis: Redis, now: RedisTime, endings: readonly Change[]): void {
  const clients = endings.map(({ client }) => client);
  const keys: string[] = [];
  for (const client of clients) {
    keys.push(leaseKey(client));
    keys.push(holdersKey(client));
  }
  inChunks(keys, (chunk) => redis.call("DEL", ...chunk));
  removeDeadlines(redis, clients);
  announce(redis, now, "OFFLINE", endings);
}

/** @returns a function that returns why a lease of a server expired: the server is lost, or only its client timed out */
function createReasons(redis: Redis, now: RedisTime): (server: string) => Reason {
  const known = new Map<string, Reason>();
  return (server) => {
    let reason = known.get(server);
    if (reason === undefined) {
      const isLost = numberOf(redis.call("ZSCORE", SERVERS_KEY, server)) <= now.ms;
      reason = isLost ? "server-lost" : "timed-out";
      known.set(server, reason);
    }
    return reason;
  };
}

/** @returns whether no later heartbeat of this server was applied before */
function recordServer(redis: Redis, server: string, deadlineMs: number): boolean {
  const lastMs = scoreOf(redis.call("ZSCORE", SERVERS_KEY, server));
  if (lastMs === undefined) redis.call("SADD", EXTERNAL_SERVERS_KEY, server);
  const isLatest = lastMs === undefined || lastMs <= deadlineMs;
  if (isLatest) redis.call("ZADD", SERVERS_KEY, String(deadlineMs), server);
  return isLatest;
}

/** A server that holds a lease of a client, and the end of that lease. */
interface Holder {
  server: string;
  deadlineMs: number;
}

/** Records that a client has leases from two servers: it moved, or it is connected to both. */
function recordHolders(redis: Redis, client: string, one: Holder, another: Holder): void {
  redis.call(
    "ZADD",
    holdersKey(client),
    String(one.deadlineMs),
    one.server,
    String(another.deadlineMs),
    another.server,
  );
  redis.call("PEXPIREAT", holdersKey(client), String(Math.max(one.deadlineMs, another.deadlineMs)));
}

/** A server other than `server` with an unexpired lease of the client: its current or an earlier holder. */
function findOtherHolder(redis: Redis, now: RedisTime, server: string, client: string): Holder | undefined {
  redis.call("ZREM", holdersKey(client), server);
  const holder = textOf(redis.attempt("GET", leaseKey(client)));
  if (holder !== undefined && holder !== server) {
    return { server: holder, deadlineMs: endOf(redis, client) };
  }
  let latest: Holder | undefined;
  for (const other of listOf(redis.call("ZRANGEBYSCORE", holdersKey(client), `(${now.ms}`, "+inf"))) {
    latest = { server: other, deadlineMs: numberOf(redis.call("ZSCORE", holdersKey(client), other)) };
  }
  return latest;
}

/** When a lease ends, in ms since the epoch. `NO_KEY` if there is none; `NO_EXPIRY` if it never expires. */
function endOf(redis: Redis, client: string): number {
  return numberOf(redis.call("PEXPIRETIME", leaseKey(client)));
}

/** When a lease ends, in ms since the epoch. Adds an expiry to a lease that an external program created without one. */
function endOfLease(redis: Redis, timing: Timing, now: RedisTime, client: string): number | undefined {
  const endMs = endOf(redis, client);
  if (endMs === NO_KEY) return undefined;
  if (endMs !== NO_EXPIRY) return endMs;
  redis.call("PEXPIREAT", leaseKey(client), String(now.ms + timing.leaseMs));
  return now.ms + timing.leaseMs;
}

/** Whether no lease may end now, because of an outage. A sweep may not have detected the outage yet. */
function isHeld(redis: Redis, timing: Timing, now: RedisTime): boolean {
  const values = valuesOf(redis.call("HMGET", STATE_KEY, "hold", "clock"));
  if (numberOf(textOf(values[0])) > now.ms) return true;
  const clock = textOf(values[1]);
  return clock !== undefined && isOutage(timing, now.ms - Number(clock));
}

/** @param sinceSweepMs the time since the last sweep */
function isOutage({ heartbeatIntervalMs }: Timing, sinceSweepMs: number): boolean {
  return sinceSweepMs > Math.max(OUTAGE_INTERVALS * heartbeatIntervalMs, MIN_OUTAGE_MS);
}

/**
 * Holds back every `OFFLINE` for a while if the last sweep is too old, or was on another run of Redis.
 *
 * Redis itself tells which run it is. Hosts cannot: two hosts may have connected at different times, and see it differently.
 */
function detectOutage(redis: Redis, timing: Timing, now: RedisTime): void {
  const run = readRunId(redis);
  const values = valuesOf(redis.call("HMGET", STATE_KEY, "clock", "run"));
  const clock = textOf(values[0]);
  const lastRun = textOf(values[1]);
  redis.call("HSET", STATE_KEY, "clock", String(now.ms), "run", run);
  if (clock === undefined) return;
  const isAnotherRun = lastRun !== run;
  // The new run may have lost acknowledged events. With a new epoch, readers that received them resync.
  if (isAnotherRun) redis.call("HDEL", STATE_KEY, "epoch");
  if (!isAnotherRun && !isOutage(timing, now.ms - Number(clock))) return;
  redis.call("HSET", STATE_KEY, "hold", String(now.ms + Math.ceil(HOLD_INTERVALS * timing.heartbeatIntervalMs)));
}

/**
 * Removes state of at most one lost server per call.
 *
 * @returns whether all of that server's state is removed
 */
function forgetLostServers(redis: Redis, { leaseMs }: Timing, now: RedisTime): boolean {
  const lost = redis.call("ZRANGEBYSCORE", SERVERS_KEY, "-inf", String(now.ms - leaseMs), "LIMIT", "0", "1");
  let isAllForgotten = true;
  for (const server of listOf(lost)) isAllForgotten = forget(redis, server);
  return isAllForgotten;
}
