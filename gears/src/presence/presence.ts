/**
 * The presence platform: heartbeats in, leases kept, presence events out.
 *
 * Every function here runs inside Redis, and so at one moment: nothing else happens between its first call and its last.
 * A client is announced as online exactly while its record says so. Whoever changes the record publishes the event, in
 * the same step; so heartbeats, keyspace notifications and the deadline clock may all find the same thing, and it is told
 * once.
 */
import { LEASE_KEY_PREFIX, leaseKey } from "../../../packages/protocol/src/redis-keys.ts";
import { announce, type Change, deleteIfWrongType, nextVersion, type Reason } from "./announce.ts";
import {
  batchOf,
  DISSOLVED_AT_ONCE,
  deadlinesOf,
  dissolve,
  dueBy,
  isBatch,
  isUnchanged,
  keepDeadline,
  moveBatch,
  NO_DEADLINE,
  newcomersOf,
  nextDeadlineMs,
  regroup,
  removeDeadlines,
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
import { inParts, listOf, numberOf, type Redis, scoreOf, textOf, valuesOf } from "./redis.ts";
import { type RedisTime, readClock } from "./redis-time.ts";
import type { Timing } from "./timing.ts";

/** One entry of the heartbeat stream. */
export interface Heartbeat {
  /** When it was written, ms since the epoch: the time in its stream entry's id. */
  atMs: number;
  server: string;
  clients: readonly string[];
}

/** How many leases one sweep ends: Redis serves nobody else meanwhile. */
const SWEPT_AT_ONCE = 150;
/** Silence of the deadline clock, in intervals, from which on Redis, or all hosts, must have been away. */
const OUTAGE_INTERVALS = 0.3;
/** At least so long, in ms: a busy machine is no outage. */
const LEAST_OUTAGE_MS = 250;
/** How long after that nobody is announced as offline: one interval for the servers to speak up, and some more. */
const HOLD_INTERVALS = 1.25;
/** What Redis answers where it is asked when a key expires: that it doesn't, or that there is none. */
const NO_END = -1;
const NO_KEY = -2;

/**
 * Sets or prolongs the leases of a heartbeat's clients, as of the moment it was written: one that is older than a lease
 * revives nobody.
 */
export function applyHeartbeat(redis: Redis, timing: Timing, { atMs, server, clients }: Heartbeat): void {
  if (!redis.isLegalId(server)) return;
  const now = readClock(redis);
  const deadlineMs = Math.min(atMs, now.ms) + timing.leaseMs;
  if (deadlineMs <= now.ms) return;
  const isLatest = noteServer(redis, server, deadlineMs);
  const renewal: Renewal = { server, atMs, deadlineMs };
  inParts(clients, (part) => {
    if (!isLatest) renewOvertaken(redis, now, renewal, part);
    else if (part.length > 1) renewBatch(redis, now, renewal, part);
    else renewAlone(redis, now, renewal, part);
  });
}

/** What a heartbeat does to each of its clients' leases. */
interface Renewal {
  server: string;
  atMs: number;
  deadlineMs: number;
}

/** The usual case, and the one that has to be fast: the same clients as last time, with one deadline for all. */
function renewBatch(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): void {
  const areKept = prolong(redis, now, renewal, clients);
  const batch = batchOf(renewal.server, clients);
  if (!areKept || !isUnchanged(redis, batch)) {
    const newcomers = newcomersOf(redis, batch);
    const admitted = admit(redis, now, renewal.server, newcomers);
    const isAnyRefused = admitted.length < newcomers.length;
    const members = isAnyRefused ? clients.filter((client) => redis.isLegalId(client)) : clients;
    regroup(redis, { name: batch.name, clients: members }, admitted);
  }
  moveBatch(redis, batch, renewal.deadlineMs);
}

function renewAlone(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): void {
  prolong(redis, now, renewal, clients);
  for (const client of admit(redis, now, renewal.server, clients)) setDeadline(redis, client, renewal.deadlineMs);
}

/** An entry that was overtaken by a later one of its server: it must not shorten what that one prolonged. */
function renewOvertaken(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): void {
  for (const client of clients) {
    if (endOf(redis, client) < renewal.deadlineMs) renewAlone(redis, now, renewal, [client]);
  }
}

/**
 * Moves the ends of the leases that the server holds. Who has none, or another server's, is looked at alone.
 *
 * @returns whether the server held them all
 */
function prolong(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): boolean {
  const { server, deadlineMs } = renewal;
  const deadline = String(deadlineMs);
  const { call } = redis;
  const keys: string[] = [];
  // Counted once, and without a call for each, as this is what a heartbeat spends its time on.
  const length = clients.length;
  for (let index = 0; index < length; index += 1) keys[index] = LEASE_KEY_PREFIX + clients[index];
  const holders = valuesOf(call("MGET", ...keys));
  const others: string[] = [];
  for (let index = 0; index < length; index += 1) {
    // Half the work of a SET: Redis keeps the value.
    if (holders[index] === server) call("PEXPIREAT", keys[index] ?? "", deadline);
    else others.push(clients[index] ?? "");
  }
  takeOver(redis, now, renewal, others);
  return others.length === 0;
}

/** The leases were another server's, or there were none. Who arrives has no deadline yet. */
function takeOver(redis: Redis, now: RedisTime, renewal: Renewal, clients: readonly string[]): void {
  if (clients.length === 0) return;
  const { server, atMs, deadlineMs } = renewal;
  const arrivals: Change[] = [];
  const legal = clients.filter((client) => redis.isLegalId(client));
  forEachRecord(redis, eachOnce(legal), (client, record) => {
    // Older than the end of the last lease, or than a sign-out: written before it, and only read after.
    const isOvertaken = record?.status === "OFFLINE" && atMs < record.at;
    if (isOvertaken) return;
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
  const isLeftLying = holder !== undefined && heldUntilMs > deadlineMs;
  if (!isLeftLying) {
    redis.call("SET", leaseKey(client), server, "PXAT", String(deadlineMs));
    writeRecord(redis, client, { ...record, server });
  }
  if (holder === undefined || holder === server) return;
  recordHolders(redis, client, { server: holder, deadlineMs: heldUntilMs }, { server, deadlineMs });
}

/**
 * Announces those whose lease was set by hand, if nothing was quicker.
 *
 * @returns those whose leases end with the server's: without illegal ids, and whom another vouches for for longer
 */
function admit(redis: Redis, now: RedisTime, server: string, clients: readonly string[]): string[] {
  const admitted: string[] = [];
  const arrivals: Change[] = [];
  forEachRecord(redis, eachOnce(clients), (client, record) => {
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

/** A client signs out at `server`: it is `OFFLINE` now, unless another server vouches for it as well. */
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
  // Its heartbeat may still wait on the stream: as older than this record, it begins nothing.
  const { version = "0", previous = "0" } = record ?? {};
  writeRecord(redis, client, { status: "OFFLINE", at: now.ms, version, previous, server });
}

/** Something happened to leases that may not have been us: makes what is announced agree with them. */
export function checkLeases(redis: Redis, timing: Timing, clients: readonly string[]): void {
  const now = readClock(redis);
  const legal = clients.filter((client) => redis.isLegalId(client));
  let isAnyHeld: boolean | undefined;
  reconcileWithLeases(redis, timing, now, eachOnce(legal), () => {
    isAnyHeld ??= isHeld(redis, timing, now);
    return isAnyHeld;
  });
}

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
  const settled: string[] = [];
  forEachRecord(redis, clients, (client, record, index) => {
    const server = textOf(holders[index]);
    const leaseEndMs = server === undefined ? undefined : endOfLease(redis, timing, now, client);
    // Redis still finds a key in the millisecond in which it runs out.
    if (server !== undefined && leaseEndMs !== undefined && leaseEndMs > now.ms) {
      if (record?.status === "ONLINE") keepDeadline(redis, client, leaseEndMs);
      else {
        setDeadline(redis, client, leaseEndMs);
        arrivals.push(arrivalOf(client, server, record));
      }
      return;
    }
    if (record?.status !== "ONLINE") {
      settled.push(client);
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
  removeDeadlines(redis, settled);
  end(redis, now, endings);
  announce(redis, now, "ONLINE", arrivals);
}

/** Whoever is named twice is announced once. */
function eachOnce(clients: readonly string[]): string[] {
  return [...new Set(clients)];
}

/** For each client the server that holds its lease, if it is one, in the reply of a call or of several. */
function holdersOf(redis: Redis, clients: readonly string[]): unknown[] {
  const holders: unknown[] = [];
  inParts(clients, (part) => {
    const replies = valuesOf(redis.call("MGET", ...part.map((client) => leaseKey(client))));
    // What isn't there is `false` to Lua, and `null` to JavaScript: something in either.
    for (let index = 0; index < part.length; index += 1) holders.push(replies[index] ?? null);
  });
  return holders;
}

/** What a sweep tells the clock that called it. */
export interface Sweep {
  /** Redis's clock, ms since the epoch. */
  nowMs: number;
  /** When there will be something to do, ms since the epoch: now where not all has been done, `undefined` for never. */
  nextMs: number | undefined;
}

/**
 * Ends the leases that have run out, and forgets servers that are gone for good. To be called when the next lease is
 * due, often enough in between, and after the heartbeat stream has been worked off.
 *
 * After an outage every lease has run out, and nobody knows yet who is still there: for one interval, none is ended.
 *
 * @param run names the run of the Redis process: another one means a restart or a failover
 */
export function sweep(redis: Redis, timing: Timing, run: string): Sweep {
  const now = readClock(redis);
  noteOutage(redis, timing, now, run);
  const heldUntilMs = numberOf(textOf(redis.call("HGET", STATE_KEY, "hold")));
  if (heldUntilMs > now.ms) return { nowMs: now.ms, nextMs: heldUntilMs };
  const isSwept = sweepDue(redis, timing, now);
  const isForgotten = forgetLostServers(redis, timing, now);
  return { nowMs: now.ms, nextMs: isSwept && isForgotten ? nextDeadlineMs(redis) : now.ms };
}

/** @returns whether nothing is due any more */
function sweepDue(redis: Redis, timing: Timing, now: RedisTime): boolean {
  const batches = dueBy(redis, now.ms, SWEPT_AT_ONCE).filter((name) => isBatch(name));
  for (const batch of batches.slice(0, DISSOLVED_AT_ONCE)) dissolve(redis, batch);
  const due = dueBy(redis, now.ms, SWEPT_AT_ONCE);
  const clients = due.filter((name) => !isBatch(name));
  reconcileWithLeases(redis, timing, now, clients, () => false);
  return due.length < SWEPT_AT_ONCE && batches.length <= DISSOLVED_AT_ONCE;
}

/** A server makes itself known, before its first heartbeat: it will say whom it watches. */
export function join(redis: Redis, timing: Timing, server: string): void {
  if (!redis.isLegalId(server)) return;
  redis.call("ZADD", SERVERS_KEY, String(readClock(redis).ms + timing.leaseMs), server);
  redis.call("SREM", EXTERNAL_SERVERS_KEY, server);
}

/**
 * The present state of `watched`, which from now on `server` is told of. Every event whose version is at most the
 * reading's is contained in it, and every later one reaches the server's stream.
 *
 * @returns `now`, `version`, `epoch`, `sequence` (how many events were put on the server's stream so far), the version of
 * the last event by which a guest went offline, and `1` where the server has joined and not been forgotten since, or `0`;
 * then, for each client asked for, its record, or an empty string; then the guests who are online, each followed by its
 * record
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
  // One that is never heard of again is forgotten as well.
  redis.call("ZADD", SERVERS_KEY, "NX", String(now.ms), server);
  deleteIfWrongType(redis, server);
  watch(redis, server, watched);
  redis.call("HSETNX", STATE_KEY, "epoch", newEpoch);
  const reading = [
    String(now.ms),
    nextVersion(redis, now),
    textOf(redis.call("HGET", STATE_KEY, "epoch")) ?? newEpoch,
    textOf(redis.call("HGET", SEQUENCES_KEY, server)) ?? "0",
    textOf(redis.call("HGET", STATE_KEY, "guestsLeft")) ?? "0",
    isKnown ? "1" : "0",
  ];
  inParts(clients, (part) => {
    const records = valuesOf(redis.call("HMGET", RECORDS_KEY, ...part));
    for (let index = 0; index < part.length; index += 1) reading.push(textOf(records[index]) ?? "");
  });
  for (const guest of listOf(redis.call("SMEMBERS", GUESTS_KEY))) {
    reading.push(guest, textOf(redis.call("HGET", RECORDS_KEY, guest)) ?? "");
  }
  return reading;
}

/** @param before what was known of the client until now */
function arrivalOf(client: string, server: string, before: ClientRecord | undefined): Change {
  return { client, reason: "connected", server, before };
}

/** @param before what was known of the client until now: that it is online */
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
  inParts(keys, (part) => redis.call("DEL", ...part));
  removeDeadlines(redis, clients);
  announce(redis, now, "OFFLINE", endings);
}

/** @returns a function that tells why a lease that a server held ran out: because its client stopped, or the server did */
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

/** @returns whether no later heartbeat of this server has been seen */
function noteServer(redis: Redis, server: string, deadlineMs: number): boolean {
  const lastMs = scoreOf(redis.call("ZSCORE", SERVERS_KEY, server));
  if (lastMs === undefined) redis.call("SADD", EXTERNAL_SERVERS_KEY, server);
  const isLatest = lastMs === undefined || lastMs <= deadlineMs;
  if (isLatest) redis.call("ZADD", SERVERS_KEY, String(deadlineMs), server);
  return isLatest;
}

interface Holder {
  server: string;
  deadlineMs: number;
}

/** Two servers vouch for the client: it moved, or is connected to both. */
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

/** Another server than `server` that still vouches for the client: who holds the lease, or did. */
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

/** When a lease ends, in ms since the epoch; negative where there is none, or it has no end. */
function endOf(redis: Redis, client: string): number {
  return numberOf(redis.call("PEXPIRETIME", leaseKey(client)));
}

/** When a lease ends, if there is one, in ms since the epoch; one that was set by hand without an end gets one. */
function endOfLease(redis: Redis, timing: Timing, now: RedisTime, client: string): number | undefined {
  const endMs = endOf(redis, client);
  if (endMs === NO_KEY) return undefined;
  if (endMs !== NO_END) return endMs;
  redis.call("PEXPIREAT", leaseKey(client), String(now.ms + timing.leaseMs));
  return now.ms + timing.leaseMs;
}

/** Whether nobody may be declared dead now: after an outage, be it noticed by a sweep yet or not. */
function isHeld(redis: Redis, timing: Timing, now: RedisTime): boolean {
  const values = valuesOf(redis.call("HMGET", STATE_KEY, "hold", "clock"));
  if (numberOf(textOf(values[0])) > now.ms) return true;
  const clock = textOf(values[1]);
  return clock !== undefined && isOutage(timing, now.ms - Number(clock));
}

/** Whether so long a silence of the deadline clock is one, in ms. */
function isOutage({ heartbeatIntervalMs }: Timing, silenceMs: number): boolean {
  return silenceMs > Math.max(OUTAGE_INTERVALS * heartbeatIntervalMs, LEAST_OUTAGE_MS);
}

/** Holds back all `OFFLINE` where the clock has been silent, or Redis has been replaced, since the last sweep. */
function noteOutage(redis: Redis, timing: Timing, now: RedisTime, run: string): void {
  const values = valuesOf(redis.call("HMGET", STATE_KEY, "clock", "run"));
  const clock = textOf(values[0]);
  const lastRun = textOf(values[1]);
  redis.call("HSET", STATE_KEY, "clock", String(now.ms), "run", run);
  if (clock === undefined) return;
  const isAnotherRun = lastRun !== run;
  // Acknowledged events may be lost with the other run: who saw them must not take the order for unbroken.
  if (isAnotherRun) redis.call("HDEL", STATE_KEY, "epoch");
  if (!isAnotherRun && !isOutage(timing, now.ms - Number(clock))) return;
  redis.call("HSET", STATE_KEY, "hold", String(now.ms + Math.ceil(HOLD_INTERVALS * timing.heartbeatIntervalMs)));
}

/** @returns whether nothing of them is left */
function forgetLostServers(redis: Redis, { leaseMs }: Timing, now: RedisTime): boolean {
  const lost = redis.call("ZRANGEBYSCORE", SERVERS_KEY, "-inf", String(now.ms - leaseMs), "LIMIT", "0", "1");
  let isForgotten = true;
  for (const server of listOf(lost)) isForgotten = forget(redis, server);
  return isForgotten;
}
