/**
 * The index of deadlines: when to look at which lease.
 *
 * A server names the same clients together in each of its heartbeats, a few comings and goings aside, and their leases
 * all end at once. So they have one deadline, as a *batch*; who is in none has one alone, and who is in one may have one
 * beside it. Each announced client is looked at when its lease ends, or before, and never only after: to look too early,
 * or twice, does no harm.
 */
import { BATCH_OF_KEY, batchesKey, changedBatchesKey, DEADLINES_KEY } from "./keys.ts";
import { inParts, listOf, numberOf, type Redis, scoreOf, textOf, valuesOf } from "./redis.ts";

/** Between the server and the client in the name of a batch, and between its clients: no id contains it. */
const SEPARATOR = " ";

/** How many batches one call dissolves, each of hundreds of clients: Redis serves nobody else meanwhile. */
export const DISSOLVED_AT_ONCE = 2;

/** The clients of one heartbeat. */
export interface Batch {
  /** A later heartbeat of this server that begins with the same client is of the same batch. */
  name: string;
  clients: readonly string[];
}

export function batchOf(server: string, clients: readonly string[]): Batch {
  return { name: `${server}${SEPARATOR}${clients[0]}`, clients };
}

/** Whether what is due is a batch, or a client alone. */
export function isBatch(name: string): boolean {
  return name.includes(SEPARATOR);
}

/** Whether these clients are all of the batch, and no others are. */
export function isUnchanged(redis: Redis, { name, clients }: Batch): boolean {
  const server = serverOf(name);
  const listing = textOf(redis.call("HGET", batchesKey(server), name));
  return listing === listingOf(clients) && numberOf(redis.call("SISMEMBER", changedBatchesKey(server), name)) === 0;
}

/** Those that are not of the batch yet, or not any more: another batch, or the end of a lease, has taken them out. */
export function newcomersOf(redis: Redis, { name, clients }: Batch): string[] {
  const names = valuesOf(redis.call("HMGET", BATCH_OF_KEY, ...clients));
  return clients.filter((_, index) => names[index] !== name);
}

/**
 * Sets who is of the batch from now on. Who no longer is has a deadline alone: the one that the batch had.
 *
 * @param newcomers those of its clients that have to be put into it
 */
export function regroup(redis: Redis, { name, clients }: Batch, newcomers: readonly string[]): void {
  const staying = new Set(clients);
  const gone = clientsOf(redis, name).filter((client) => !staying.has(client));
  separate(redis, name, gone);
  inParts(newcomers, (part) => {
    redis.call("HSET", BATCH_OF_KEY, ...part.flatMap((client) => [client, name]));
    redis.call("ZREM", DEADLINES_KEY, ...part);
  });
  const server = serverOf(name);
  redis.call("HSET", batchesKey(server), name, listingOf(clients));
  redis.call("SREM", changedBatchesKey(server), name);
}

/** The leases of the batch's clients end then, and none before. */
export function moveBatch(redis: Redis, { name }: Batch, deadlineMs: number): void {
  redis.call("ZADD", DEADLINES_KEY, String(deadlineMs), name);
}

/** A batch whose time has come: from now on its clients are looked at one by one. */
export function dissolve(redis: Redis, name: string): void {
  separate(redis, name, clientsOf(redis, name));
  const server = serverOf(name);
  redis.call("HDEL", batchesKey(server), name);
  redis.call("SREM", changedBatchesKey(server), name);
  redis.call("ZREM", DEADLINES_KEY, name);
}

/**
 * Dissolves the batches of a server, or as many as one call may.
 *
 * @returns whether none is left
 */
export function dissolveBatchesOf(redis: Redis, server: string): boolean {
  let dissolved = 0;
  for (const name of listOf(redis.call("HKEYS", batchesKey(server)))) {
    if (dissolved === DISSOLVED_AT_ONCE) return false;
    dissolve(redis, name);
    dissolved += 1;
  }
  return true;
}

/** The client's lease ends then, whatever becomes of its batch. */
export function setDeadline(redis: Redis, client: string, deadlineMs: number): void {
  const batchDeadlineMs = deadlineOfBatch(redis, client);
  if (batchDeadlineMs !== undefined && batchDeadlineMs > deadlineMs) leaveBatch(redis, client);
  redis.call("ZADD", DEADLINES_KEY, String(deadlineMs), client);
}

/** The client has been looked at, and lives on: it needs a deadline alone only where its batch has none as early. */
export function keepDeadline(redis: Redis, client: string, leaseEndMs: number): void {
  const batchDeadlineMs = deadlineOfBatch(redis, client);
  if (batchDeadlineMs === undefined || batchDeadlineMs > leaseEndMs) setDeadline(redis, client, leaseEndMs);
  else redis.call("ZREM", DEADLINES_KEY, client);
}

/** Where one is asked for, and there is none. */
export const NO_DEADLINE = 0;

/** When each client's lease was to end, as far as is known here, in ms since the epoch. */
export function deadlinesOf(redis: Redis, clients: readonly string[]): number[] {
  const deadlines: number[] = [];
  const ofBatches = new Map<string, number>();
  const deadlineOfBatch = (name: string) => {
    const known = ofBatches.get(name);
    if (known !== undefined) return known;
    const deadlineMs = scoreOf(redis.call("ZSCORE", DEADLINES_KEY, name)) ?? NO_DEADLINE;
    ofBatches.set(name, deadlineMs);
    return deadlineMs;
  };
  inParts(clients, (part) => {
    const alone = valuesOf(redis.call("ZMSCORE", DEADLINES_KEY, ...part));
    const batches = valuesOf(redis.call("HMGET", BATCH_OF_KEY, ...part));
    for (let index = 0; index < part.length; index += 1) {
      const batch = textOf(batches[index]);
      const ofBatch = batch === undefined ? NO_DEADLINE : deadlineOfBatch(batch);
      deadlines.push(Math.max(scoreOf(alone[index]) ?? NO_DEADLINE, ofBatch));
    }
  });
  return deadlines;
}

/** Nobody needs to look at these clients any more. */
export function removeDeadlines(redis: Redis, clients: readonly string[]): void {
  inParts(clients, (part) => {
    redis.call("ZREM", DEADLINES_KEY, ...part);
    const batches = valuesOf(redis.call("HMGET", BATCH_OF_KEY, ...part));
    part.forEach((client, index) => {
      const batch = textOf(batches[index]);
      if (batch !== undefined) takeOut(redis, client, batch);
    });
  });
}

/** The lowest deadline, in ms since the epoch. */
export function nextDeadlineMs(redis: Redis): number | undefined {
  for (const name of listOf(redis.call("ZRANGE", DEADLINES_KEY, "0", "0"))) {
    return scoreOf(redis.call("ZSCORE", DEADLINES_KEY, name));
  }
  return undefined;
}

/** The batches and clients that are due, the earliest first. */
export function dueBy(redis: Redis, nowMs: number, count: number): readonly string[] {
  return listOf(redis.call("ZRANGEBYSCORE", DEADLINES_KEY, "-inf", String(nowMs), "LIMIT", "0", String(count)));
}

/** Gives those of the clients that are still of this batch the batch's deadline, each alone. */
function separate(redis: Redis, name: string, clients: readonly string[]): void {
  const deadline = String(numberOf(redis.call("ZSCORE", DEADLINES_KEY, name)));
  inParts(clients, (part) => {
    const names = valuesOf(redis.call("HMGET", BATCH_OF_KEY, ...part));
    const own = part.filter((_, index) => names[index] === name);
    if (own.length === 0) return;
    redis.call("HDEL", BATCH_OF_KEY, ...own);
    // A later one that a client has alone stays: its lease has been prolonged since.
    redis.call("ZADD", DEADLINES_KEY, "GT", ...own.flatMap((client) => [deadline, client]));
  });
}

function leaveBatch(redis: Redis, client: string): void {
  const batch = textOf(redis.call("HGET", BATCH_OF_KEY, client));
  if (batch !== undefined) takeOut(redis, client, batch);
}

function takeOut(redis: Redis, client: string, batch: string): void {
  redis.call("HDEL", BATCH_OF_KEY, client);
  redis.call("SADD", changedBatchesKey(serverOf(batch)), batch);
}

function deadlineOfBatch(redis: Redis, client: string): number | undefined {
  const name = textOf(redis.call("HGET", BATCH_OF_KEY, client));
  return name === undefined ? undefined : scoreOf(redis.call("ZSCORE", DEADLINES_KEY, name));
}

/** Equal for equal lists, and for no others as long as one of them has legal ids alone. */
function listingOf(clients: readonly string[]): string {
  return `${clients.length}${SEPARATOR}${clients.join(SEPARATOR)}`;
}

function clientsOf(redis: Redis, name: string): string[] {
  return (textOf(redis.call("HGET", batchesKey(serverOf(name)), name)) ?? "").split(SEPARATOR).slice(1);
}

function serverOf(name: string): string {
  return name.slice(0, name.indexOf(SEPARATOR));
}
