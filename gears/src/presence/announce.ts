import { contactKey, downstreamKey } from "../../../packages/protocol/src/redis-keys.ts";
import { addList, readAudience, removeLists, watchersOf } from "./interest.ts";
import { GUESTS_KEY, RECORDS_KEY, SEQUENCES_KEY, STATE_KEY } from "./keys.ts";
import { type ClientRecord, formatRecord } from "./record.ts";
import { inParts, numberOf, type Redis, scoreOf, textOf, valuesOf } from "./redis.ts";
import { formatMicroseconds, type RedisTime } from "./redis-time.ts";

/** About how many events wait on a server's stream; a server that falls further behind notices, and reads afresh. */
const MAX_DOWNSTREAM_LENGTH = "10000";

/** Why a client's status changed; the words are the protocol's. */
export type Reason = "connected" | "left" | "timed-out" | "server-lost";

export type Status = "ONLINE" | "OFFLINE";

export interface Change {
  client: string;
  reason: Reason;
  /** The server that vouches, or vouched, for the client. */
  server: string;
  /** What was known of the client until now. */
  before: ClientRecord | undefined;
  /** When the lease ran out, in ms since the epoch, where that is what happened. */
  dueMs?: number;
}

/**
 * Publishes that clients are now online or offline, to every server that someone watches them from, and remembers it.
 *
 * What they have in common is asked and written once for all: what Redis is busy with is the calls.
 *
 * @param changes each of another client, in this order
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
    if (status === "ONLINE" && audience.plain.includes(server)) addList(redis, server, client);
    const words = buildXaddArgs(change, { status, at, version, epoch, isGuest });
    for (const watcher of watchersOf(redis, audience, index, isGuest)) put(outbox, watcher, words);
    if (status === "OFFLINE") removeLists(redis, audience.plain, client);
  });
  inParts(records, (part) => redis.call("HSET", RECORDS_KEY, ...part));
  send(redis, outbox);
}

/** All that `XADD` is told of an event. The stream and the sequence number are put in for each stream, which counts for itself. */
type XaddArgs = string[];

const KEY_AT = 0;
const SEQUENCE_AT = 16;

interface Circumstances {
  status: Status;
  /** ms since the epoch */
  at: string;
  version: string;
  epoch: string;
  isGuest: boolean;
}

function buildXaddArgs(
  { client, reason, dueMs }: Change,
  { status, at, version, epoch, isGuest }: Circumstances,
): XaddArgs {
  // In one piece, and in the order in which they are told: there is one for each event.
  const words = [
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
  if (dueMs !== undefined) words.push("due", String(dueMs));
  if (isGuest) words.push("guest", "1");
  return words;
}

/** Events by the server that they are for. */
type Outbox = Map<string, XaddArgs[]>;

function put(outbox: Outbox, server: string, words: XaddArgs): void {
  const events = outbox.get(server);
  if (events !== undefined) events.push(words);
  else outbox.set(server, [words]);
}

/** The sequence numbers are taken before they are used: should one go without its event, the server notices a gap. */
function send(redis: Redis, outbox: Outbox): void {
  const { call, attempt } = redis;
  for (const [server, events] of outbox) {
    const key = downstreamKey(server);
    let sequence = numberOf(call("HINCRBY", SEQUENCES_KEY, server, String(events.length))) - events.length;
    for (const words of events) {
      sequence += 1;
      words[KEY_AT] = key;
      words[SEQUENCE_AT] = String(sequence);
      if (textOf(attempt("XADD", ...words)) === undefined) {
        deleteIfWrongType(redis, server);
        call("XADD", ...words);
      }
    }
  }
}

/**
 * Takes away what another hand has put in the place of a server's stream: it would keep a change from everybody who is to
 * be told of it, and the server from reading.
 */
export function deleteIfWrongType(redis: Redis, server: string): void {
  if (scoreOf(redis.attempt("XLEN", downstreamKey(server))) === undefined) redis.call("DEL", downstreamKey(server));
}

/** @returns which of those who arrive are guests: without a contact document */
function admitGuests(redis: Redis, clients: readonly string[]): boolean[] {
  const areGuests: boolean[] = [];
  const guests: string[] = [];
  inParts(clients, (part) => {
    const documentCount = numberOf(redis.call("EXISTS", ...part.map((client) => contactKey(client))));
    for (const client of part) {
      // Nearly always all have one, or none has.
      const hasNone =
        documentCount < part.length &&
        (documentCount === 0 || numberOf(redis.call("EXISTS", contactKey(client))) === 0);
      areGuests.push(hasNone);
      if (hasNone) guests.push(client);
    }
  });
  inParts(guests, (part) => redis.call("SADD", GUESTS_KEY, ...part));
  return areGuests;
}

/** @returns which of those who leave were guests, by now perhaps with a document */
function dismissGuests(redis: Redis, clients: readonly string[], versions: readonly string[]): boolean[] {
  const wereGuests: boolean[] = [];
  let lastVersion: string | undefined;
  inParts(clients, (part) => {
    const replies = valuesOf(redis.call("SMISMEMBER", GUESTS_KEY, ...part));
    for (let index = 0; index < part.length; index += 1) {
      const wasGuest = numberOf(replies[index]) === 1;
      if (wasGuest) lastVersion = versions[wereGuests.length];
      wereGuests.push(wasGuest);
    }
    redis.call("SREM", GUESTS_KEY, ...part);
  });
  // A reading no longer shows a guest who has gone: who knows less than this can't be brought up to date by one.
  if (lastVersion !== undefined) redis.call("HSET", STATE_KEY, "guestsLeft", lastVersion);
  return wereGuests;
}

/**
 * Moves the order of events on: by the clock, or by one where that stands still or has gone back.
 *
 * @returns the new version, in decimal
 */
export function nextVersion(redis: Redis, now: RedisTime): string {
  return takeVersions(redis, now, 1)[0] ?? "0";
}

/** As `nextVersion`, for so many, which rise by one. */
function takeVersions(redis: Redis, now: RedisTime, count: number): string[] {
  const last = Number(textOf(redis.call("HGET", STATE_KEY, "version")) ?? "0");
  const first = Math.max(last + 1, now.us);
  const versions: string[] = [];
  for (let index = 0; index < count; index += 1) versions.push(formatMicroseconds(first + index));
  redis.call("HSET", STATE_KEY, "version", versions[count - 1] ?? "0");
  return versions;
}
