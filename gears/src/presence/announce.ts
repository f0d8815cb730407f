import { contactKey, downstreamKey } from "../../../packages/protocol/src/redis-keys.ts";
import { addList, readAudience, removeLists, watchersOf } from "./interest.ts";
import { GUESTS_KEY, RECORDS_KEY, SEQUENCES_KEY, STATE_KEY } from "./keys.ts";
import { type ClientRecord, formatRecord } from "./record.ts";
import { inChunks, numberOf, type Redis, scoreOf, textOf, valuesOf } from "./redis.ts";
import { formatMicroseconds, type RedisTime } from "./redis-time.ts";

/** Approximate maximum length of a server's stream. A server that falls further behind detects the gap and resyncs. */
const MAX_DOWNSTREAM_LENGTH = "10000";

/** Why a client's status changed, as in the protocol's `Reason`. */
export type Reason = "connected" | "left" | "timed-out" | "server-lost";

export type Status = "ONLINE" | "OFFLINE";

export interface Change {
  client: string;
  reason: Reason;
  /** The server of the client's lease. */
  server: string;
  /** The client's record before this change. */
  before: ClientRecord | undefined;
  /** When the lease expired, in ms since the epoch. Set only if it expired. */
  dueMs?: number;
}

/**
 * Publishes that clients are now online or offline to every server that watches them, and updates their records.
 *
 * Shared data is read and written once for all changes, because the number of Redis calls dominates the cost.
 *
 * @param changes at most one per client; published in this order
 */
export function announce(redis: Redis, now: RedisTime, status: Status, changes: readonly Change[]): void {
  if (changes.length === 0) return;
  const versions = takeVersions(redis, now, changes.length);
  const clients = changes.map(({ client }) => client);
  const areGuests = status === "ONLINE" ? admitGuests(redis, clients) : dismissGuests(redis, clients, versions);
  const epoch = textOf(redis.call("HGET", STATE_KEY, "epoch")) ?? "";
  const audience = readAudience(redis, clients, areGuests.includes(true));
  const at = String(now.ms);
  const records: string[] = [];
  const outbox: Outbox = new Map();
  changes.forEach((change, index) => {
    const { client, server, before } = change;
    const version = versions[index] ?? "0";
    const isGuest = areGuests[index] === true;
    records.push(client);
    records.push(formatRecord({ status, at: now.ms, version, server, previous: before?.version ?? "0" }));
    if (status === "ONLINE" && audience.externalServers.includes(server)) addList(redis, server, client);
    const xaddArgs = buildXaddArgs(change, { status, at, version, epoch, isGuest });
    for (const watcher of watchersOf(redis, audience, index, isGuest)) put(outbox, watcher, xaddArgs);
    if (status === "OFFLINE") removeLists(redis, audience.externalServers, client);
  });
  inChunks(records, (chunk) => redis.call("HSET", RECORDS_KEY, ...chunk));
  send(redis, outbox);
}

/** The arguments of `XADD` for one event. `send` fills in the stream's key and sequence number for each stream. */
type XaddArgs = string[];

const KEY_AT = 0;
const SEQUENCE_AT = 16;

interface EventDetails {
  status: Status;
  /** ms since the epoch */
  at: string;
  version: string;
  epoch: string;
  isGuest: boolean;
}

function buildXaddArgs(
  { client, reason, dueMs }: Change,
  { status, at, version, epoch, isGuest }: EventDetails,
): XaddArgs {
  // One array literal, because this runs once per event.
  const xaddArgs = [
    "",
    "MAXLEN",
    "~",
    MAX_DOWNSTREAM_LENGTH,
    "*",
    "client",
    client,
    "status",
    status,
    "at",
    at,
    "reason",
    reason,
    "version",
    version,
    "sequence",
    "",
    "epoch",
    epoch,
  ];
  if (dueMs !== undefined) xaddArgs.push("due", String(dueMs));
  if (isGuest) xaddArgs.push("guest", "1");
  return xaddArgs;
}

/** Events by destination server. */
type Outbox = Map<string, XaddArgs[]>;

function put(outbox: Outbox, server: string, xaddArgs: XaddArgs): void {
  const events = outbox.get(server);
  if (events !== undefined) events.push(xaddArgs);
  else outbox.set(server, [xaddArgs]);
}

/** Reserves the sequence numbers first. If the call fails before an event is written, its server detects the gap. */
function send(redis: Redis, outbox: Outbox): void {
  const { call, attempt } = redis;
  for (const [server, events] of outbox) {
    const key = downstreamKey(server);
    let sequence = numberOf(call("HINCRBY", SEQUENCES_KEY, server, String(events.length))) - events.length;
    for (const xaddArgs of events) {
      sequence += 1;
      xaddArgs[KEY_AT] = key;
      xaddArgs[SEQUENCE_AT] = String(sequence);
      if (textOf(attempt("XADD", ...xaddArgs)) === undefined) {
        deleteIfWrongType(redis, server);
        call("XADD", ...xaddArgs);
      }
    }
  }
}

/**
 * Deletes the key of a server's stream if another program stored a value of another type there. Otherwise, every `XADD`
 * and the server's reads would fail, and the error of one `XADD` would stop the delivery to all servers.
 */
export function deleteIfWrongType(redis: Redis, server: string): void {
  if (scoreOf(redis.attempt("XLEN", downstreamKey(server))) === undefined) redis.call("DEL", downstreamKey(server));
}

/** @returns for each client, whether it is a guest, that is, has no contact document */
function admitGuests(redis: Redis, clients: readonly string[]): boolean[] {
  const areGuests: boolean[] = [];
  const guests: string[] = [];
  inChunks(clients, (chunk) => {
    const documentCount = numberOf(redis.call("EXISTS", ...chunk.map((client) => contactKey(client))));
    for (const client of chunk) {
      // Usually either all clients of a chunk have a document or none has: then one call answers for all.
      const isGuest =
        documentCount < chunk.length &&
        (documentCount === 0 || numberOf(redis.call("EXISTS", contactKey(client))) === 0);
      areGuests.push(isGuest);
      if (isGuest) guests.push(client);
    }
  });
  inChunks(guests, (chunk) => redis.call("SADD", GUESTS_KEY, ...chunk));
  return areGuests;
}

/** @returns for each client, whether it came online as a guest; it may have a document by now */
function dismissGuests(redis: Redis, clients: readonly string[], versions: readonly string[]): boolean[] {
  const wereGuests: boolean[] = [];
  let lastVersion: string | undefined;
  inChunks(clients, (chunk) => {
    const replies = valuesOf(redis.call("SMISMEMBER", GUESTS_KEY, ...chunk));
    for (let index = 0; index < chunk.length; index += 1) {
      const wasGuest = numberOf(replies[index]) === 1;
      if (wasGuest) lastVersion = versions[wereGuests.length];
      wereGuests.push(wasGuest);
    }
    redis.call("SREM", GUESTS_KEY, ...chunk);
  });
  // `read` returns no guest that is offline, so a reader whose state is older than this version needs a new snapshot.
  if (lastVersion !== undefined) redis.call("HSET", STATE_KEY, "guestsLeft", lastVersion);
  return wereGuests;
}

/**
 * Takes the next version: the clock in µs, or the last version plus one if the clock stood still or went back.
 *
 * @returns the version in decimal
 */
export function nextVersion(redis: Redis, now: RedisTime): string {
  return takeVersions(redis, now, 1)[0] ?? "0";
}

/** Like `nextVersion`, for `count` consecutive versions. */
function takeVersions(redis: Redis, now: RedisTime, count: number): string[] {
  const last = Number(textOf(redis.call("HGET", STATE_KEY, "version")) ?? "0");
  const first = Math.max(last + 1, now.us);
  const versions: string[] = [];
  for (let index = 0; index < count; index += 1) versions.push(formatMicroseconds(first + index));
  redis.call("HSET", STATE_KEY, "version", versions[count - 1] ?? "0");
  return versions;
}
