/**
 * The index of deadlines: when to check which lease.
 *
 * A server lists almost the same clients in each heartbeat, and their leases all end at the same time. So the clients of a
 * heartbeat share one deadline, as a *batch*. A client outside a batch has its own deadline; a client in a batch may have
 * one in addition. Each online client is checked at the end of its lease or earlier, never later. A check that is too
 * early or repeated changes nothing.
 */
import { BATCH_OF_KEY, batchesKey, changedBatchesKey, DEADLINES_KEY } from "./keys.ts";
import { inChunks, listOf, numberOf, type Redis, scoreOf, textOf, valuesOf } from "./redis.ts";

/** Separates the ids in batch names and in lists of clients. No valid id contains it. */
const SEPARATOR = " ";

/** How many batches, each of hundreds of clients, one call splits up. Redis serves no other client during a call. */
export const MAX_DISSOLVED_PER_CALL = 2;

/** The clients of one heartbeat. */
export interface Batch {
  /** The server and the first client. A later heartbeat of the server with the same first client is the same batch. */
  name: string;
  clients: readonly string[];
}

export function batchOf(server: string, clients: readonly string[]): Batch {
  return { name: `${server}${SEPARATOR}${clients[0]}`, clients };
}

/** Whether a member of the deadlines is a batch. Otherwise, it is a client. */
export function isBatch(name: string): boolean {
  return name.includes(SEPARATOR);
}

/** Whether the stored batch consists of exactly these clients. */
export function isUnchanged(redis: Redis, { name, clients }: Batch): boolean {
  const server = serverOf(name);
  const listing = textOf(redis.call("HGET", batchesKey(server), name));
  return listing === listingOf(clients) && numberOf(redis.call("SISMEMBER", changedBatchesKey(server), name)) === 0;
}

/** The clients that are not in the stored batch: new ones, and those removed by another batch or the end of a lease. */
export function newcomersOf(redis: Redis, { name, clients }: Batch): string[] {
  const names = valuesOf(redis.call("HMGET", BATCH_OF_KEY, ...clients));
  return clients.filter((_, index) => names[index] !== name);
}

/**
 * Replaces the clients of the batch. A client that is no longer in the batch gets the batch's deadline as its own.
 *
 * @param newcomers the clients of `clients` that are not in the stored batch
 */
export function replaceClients(redis: Redis, { name, clients }: Batch, newcomers: readonly string[]): void {
  const staying = new Set(clients);
  const removed = clientsOf(redis, name).filter((client) => !staying.has(client));
  moveToOwnDeadlines(redis, name, removed);
  inChunks(newcomers, (chunk) => {
    redis.call("HSET", BATCH_OF_KEY, ...chunk.flatMap((client) => [client, name]));
    redis.call("ZREM", DEADLINES_KEY, ...chunk);
  });
  const server = serverOf(name);
  redis.call("HSET", batchesKey(server), name, listingOf(clients));
  redis.call("SREM", changedBatchesKey(server), name);
}

/** Sets the deadline of the batch. No lease of its clients may end earlier. */
export function setBatchDeadline(redis: Redis, { name }: Batch, deadlineMs: number): void {
  redis.call("ZADD", DEADLINES_KEY, String(deadlineMs), name);
}

/** Removes a batch that is due. Each of its clients gets its own deadline. */
export function dissolve(redis: Redis, name: string): void {
  moveToOwnDeadlines(redis, name, clientsOf(redis, name));
  const server = serverOf(name);
  redis.call("HDEL", batchesKey(server), name);
  redis.call("SREM", changedBatchesKey(server), name);
  redis.call("ZREM", DEADLINES_KEY, name);
}

/**
 * Dissolves the batches of a server, or as many as one call may.
 *
 * @returns whether all are dissolved
 */
export function dissolveBatchesOf(redis: Redis, server: string): boolean {
  let dissolved = 0;
  for (const name of listOf(redis.call("HKEYS", batchesKey(server)))) {
    if (dissolved === MAX_DISSOLVED_PER_CALL) return false;
    dissolve(redis, name);
    dissolved += 1;
  }
  return true;
}

/** Sets the client's own deadline, and removes the client from a batch with a later one. */
export function setDeadline(redis: Redis, client: string, deadlineMs: number): void {
  const batchDeadlineMs = deadlineOfBatch(redis, client);
  if (batchDeadlineMs !== undefined && batchDeadlineMs > deadlineMs) leaveBatch(redis, client);
  redis.call("ZADD", DEADLINES_KEY, String(deadlineMs), client);
}

/** Updates the deadline of a client that was checked and is still online. Its batch's deadline may already suffice. */
export function keepDeadline(redis: Redis, client: string, leaseEndMs: number): void {
  const batchDeadlineMs = deadlineOfBatch(redis, client);
  if (batchDeadlineMs === undefined || batchDeadlineMs > leaseEndMs) setDeadline(redis, client, leaseEndMs);
  else redis.call("ZREM", DEADLINES_KEY, client);
}

/** In place of a deadline that does not exist. */
export const NO_DEADLINE = 0;

/** The latest deadline of each client, its own or its batch's, in ms since the epoch. `NO_DEADLINE` if it has none. */
export function deadlinesOf(redis: Redis, clients: readonly string[]): number[] {
  const deadlines: number[] = [];
  const batchDeadlines = new Map<string, number>();
  const readBatchDeadline = (name: string) => {
    const known = batchDeadlines.get(name);
    if (known !== undefined) return known;
    const deadlineMs = scoreOf(redis.call("ZSCORE", DEADLINES_KEY, name)) ?? NO_DEADLINE;
    batchDeadlines.set(name, deadlineMs);
    return deadlineMs;
  };
  inChunks(clients, (chunk) => {
    const ownDeadlines = valuesOf(redis.call("ZMSCORE", DEADLINES_KEY, ...chunk));
    const batches = valuesOf(redis.call("HMGET", BATCH_OF_KEY, ...chunk));
    for (let index = 0; index < chunk.length; index += 1) {
      const batch = textOf(batches[index]);
      const batchDeadline = batch === undefined ? NO_DEADLINE : readBatchDeadline(batch);
      deadlines.push(Math.max(scoreOf(ownDeadlines[index]) ?? NO_DEADLINE, batchDeadline));
    }
  });
  return deadlines;
}

/** Removes the clients' own deadlines, and the clients from their batches. */
export function removeDeadlines(redis: Redis, clients: readonly string[]): void {
  inChunks(clients, (chunk) => {
    redis.call("ZREM", DEADLINES_KEY, ...chunk);
    const batches = valuesOf(redis.call("HMGET", BATCH_OF_KEY, ...chunk));
    chunk.forEach((client, index) => {
      const batch = textOf(batches[index]);
      if (batch !== undefined) removeFromBatch(redis, client, batch);
    });
  });
}

/** The earliest deadline, in ms since the epoch. */
export function nextDeadlineMs(redis: Redis): number | undefined {
  for (const name of listOf(redis.call("ZRANGE", DEADLINES_KEY, "0", "0"))) {
    return scoreOf(redis.call("ZSCORE", DEADLINES_KEY, name));
  }
  return undefined;
}

/** At most `count` batches and clients that are due, earliest first. */
export function dueBy(redis: Redis, nowMs: number, count: number): readonly string[] {
  return listOf(redis.call("ZRANGEBYSCORE", DEADLINES_KEY, "-inf", String(nowMs), "LIMIT", "0", String(count)));
}

/** Removes the clients from this batch, if they are in it, and gives each the batch's deadline as its own. */
function moveToOwnDeadlines(redis: Redis, name: string, clients: readonly string[]): void {
  const deadline = String(numberOf(redis.call("ZSCORE", DEADLINES_KEY, name)));
  inChunks(clients, (chunk) => {
    const names = valuesOf(redis.call("HMGET", BATCH_OF_KEY, ...chunk));
    const members = chunk.filter((_, index) => names[index] === name);
    if (members.length === 0) return;
    redis.call("HDEL", BATCH_OF_KEY, ...members);
    // `GT` keeps a later own deadline: that client's lease has been renewed since.
    redis.call("ZADD", DEADLINES_KEY, "GT", ...members.flatMap((client) => [deadline, client]));
  });
}

function leaveBatch(redis: Redis, client: string): void {
  const batch = textOf(redis.call("HGET", BATCH_OF_KEY, client));
  if (batch !== undefined) removeFromBatch(redis, client, batch);
}

function removeFromBatch(redis: Redis, client: string, batch: string): void {
  redis.call("HDEL", BATCH_OF_KEY, client);
  redis.call("SADD", changedBatchesKey(serverOf(batch)), batch);
}

function deadlineOfBatch(redis: Redis, client: string): number | undefined {
  const name = textOf(redis.call("HGET", BATCH_OF_KEY, client));
  return name === undefined ? undefined : scoreOf(redis.call("ZSCORE", DEADLINES_KEY, name));
}

/** Two lists have the same text only if they are equal, provided that all ids of one of them are valid. */
function listingOf(clients: readonly string[]): string {
  return `${clients.length}${SEPARATOR}${clients.join(SEPARATOR)}`;
}

function clientsOf(redis: Redis, name: string): string[] {
  return (textOf(redis.call("HGET", batchesKey(serverOf(name)), name)) ?? "").split(SEPARATOR).slice(1);
}

function serverOf(name: string): string {
  return name.slice(0, name.indexOf(SEPARATOR));
}
