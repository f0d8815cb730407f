import {
  contactKey,
  downstreamKey,
  GUESTS_KEY,
  SEQUENCES_KEY,
  STATE_KEY,
} from "../../../packages/protocol/src/redis-keys.ts";
import { removeLists, watchersOf } from "./interest.ts";
import { formatMicroseconds, type Moment } from "./moment.ts";
import { type ClientRecord, writeRecord } from "./record.ts";
import { numberOf, type Redis, scoreOf, textOf } from "./redis.ts";

/** About how many events wait on a server's stream; a server that falls further behind notices, and reads afresh. */
const MAX_DOWNSTREAM_LENGTH = "10000";

/** Why a client's status changed; the words are the protocol's. */
export type Reason = "connected" | "left" | "timed-out" | "server-lost";

export interface Change {
  client: string;
  status: "ONLINE" | "OFFLINE";
  reason: Reason;
  /** The server that vouches, or vouched, for the client. */
  server: string;
  /** What was known of the client until now. */
  before: ClientRecord | undefined;
  /** When the lease ran out, in ms since the epoch, where that is what happened. */
  dueMs?: number;
}

/** Publishes a change to every server that someone watches the client from, and remembers it. */
export function announce(redis: Redis, now: Moment, { client, status, reason, server, before, dueMs }: Change): void {
  const version = nextVersion(redis, now);
  const guest = status === "ONLINE" ? admitGuest(redis, client) : dismissGuest(redis, client, version);
  writeRecord(redis, client, { status, at: now.ms, version, server, previous: before?.version ?? "0" });
  const epoch = textOf(redis.call("HGET", STATE_KEY, "epoch")) ?? "";
  const extra: string[] = [];
  if (dueMs !== undefined) extra.push("due", String(dueMs));
  if (guest) extra.push("guest", "1");
  for (const watcher of watchersOf(redis, client, guest)) {
    const sequence = numberOf(redis.call("HINCRBY", SEQUENCES_KEY, watcher, "1"));
    append(
      redis,
      watcher,
      "client",
      client,
      "status",
      status,
      "at",
      String(now.ms),
      "reason",
      reason,
      "version",
      version,
      "sequence",
      String(sequence),
      "epoch",
      epoch,
      ...extra,
    );
  }
  if (status === "OFFLINE") removeLists(redis, client);
}

/** Puts an event on a server's stream. */
function append(redis: Redis, server: string, ...event: string[]): void {
  const words = ["XADD", downstreamKey(server), "MAXLEN", "~", MAX_DOWNSTREAM_LENGTH, "*", ...event] as const;
  if (textOf(redis.attempt(...words)) !== undefined) return;
  clearForStream(redis, server);
  redis.call(...words);
}

/**
 * Takes away what another hand has put in the place of a server's stream: it would keep a change from everybody who is to
 * be told of it, and the server from reading.
 */
export function clearForStream(redis: Redis, server: string): void {
  if (scoreOf(redis.attempt("XLEN", downstreamKey(server))) === undefined) redis.call("DEL", downstreamKey(server));
}

/** @returns whether the client is a guest: online without a contact document */
function admitGuest(redis: Redis, client: string): boolean {
  const isGuest = numberOf(redis.call("EXISTS", contactKey(client))) === 0;
  if (isGuest) redis.call("SADD", GUESTS_KEY, client);
  return isGuest;
}

/** @returns whether the client was a guest, by now perhaps with a document */
function dismissGuest(redis: Redis, client: string, version: string): boolean {
  if (numberOf(redis.call("SREM", GUESTS_KEY, client)) === 0) return false;
  // A reading no longer shows a guest who has gone: who knows less than this can't be brought up to date by one.
  redis.call("HSET", STATE_KEY, "guestsLeft", version);
  return true;
}

/**
 * Moves the order of events on: by the clock, or by one where that stands still or has gone back.
 *
 * @returns the new version, in decimal
 */
export function nextVersion(redis: Redis, now: Moment): string {
  const last = Number(textOf(redis.call("HGET", STATE_KEY, "version")) ?? "0");
  const version = formatMicroseconds(Math.max(last + 1, now.us));
  redis.call("HSET", STATE_KEY, "version", version);
  return version;
}
