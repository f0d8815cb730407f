import { once } from "node:events";
import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";
import { clusterConnector } from "./cluster-connector.ts";
import type { Partition } from "./partitions.ts";
import { parseRedisAddress, REDIS_URLS_ALLOWED } from "./redis-address.ts";

/** Silence from which on a connection counts as dead, in ms; every one of ours is used far more often. */
const SOCKET_TIMEOUT_MS = 5_000;
const MAX_RETRY_MS = 1_000;

const OPTIONS = {
  // The logic's replies are those of RESP2; the harness and the libraries are written for them.
  protocol: 2,
  socketTimeout: SOCKET_TIMEOUT_MS,
  connectTimeout: SOCKET_TIMEOUT_MS,
  // A command that can't be sent fails at once: who sent it knows better than a queue whether it still makes sense.
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  lazyConnect: true,
  retryStrategy: (attempt: number) =>
    Math.min(MAX_RETRY_MS, 50 * 2 ** Math.min(attempt, 5)) * (0.5 + Math.random() / 2),
  // It is a replica now, or has given the slot away: the primary is elsewhere.
  reconnectOnError: ({ message }: Error) => /^(READONLY|MOVED) /.test(message),
} as const satisfies RedisOptions;

/**
 * A connection that comes back by itself. Until it has, its commands fail.
 *
 * @param url as `parseRedisAddress` understands it
 * @param name what `CLIENT LIST` shows
 * @param partition of a cluster: the connection follows its primary, and the keys of its commands are those of the partition
 * @throws where the URL names no Redis
 */
export function createConnection(url: string, name: string, logger: Logger, partition?: Partition): Redis {
  const redis = connectionTo(url, name, partition);
  let state: "new" | "ready" | "lost" = "new";
  redis.on("error", (error: Error) => {
    // Its words alone: the error itself holds the command it answers, and that may be the password.
    if (state === "ready") logger.warn({ reason: error.message, connection: name }, "Redis is lost; trying again");
    if (state !== "new") state = "lost";
  });
  redis.on("ready", () => {
    if (state === "lost") logger.info({ connection: name }, "Redis is back");
    state = "ready";
  });
  return redis;
}

function connectionTo(url: string, connectionName: string, partition: Partition | undefined): Redis {
  const address = parseRedisAddress(url);
  if (!address) throw new Error(`REDIS_URL must be ${REDIS_URLS_ALLOWED}.`);
  if (address.kind === "one") return new Redis(address.url, { ...OPTIONS, connectionName });
  if (address.kind === "cluster") {
    return new Redis({
      ...OPTIONS,
      ...(address.username !== undefined && { username: address.username }),
      ...(address.password !== undefined && { password: address.password }),
      connectionName,
      Connector: clusterConnector(address, partition?.slot),
      keyPrefix: partition?.prefix ?? "",
    });
  }
  const { kind: _, ...group } = address;
  // Who was the primary may hang, and not close a connection: Sentinels tell of the new one.
  return new Redis({ ...OPTIONS, ...group, connectionName, failoverDetector: true });
}

/**
 * Resolves when it is connected, for the first time or again.
 *
 * @throws why it can't be, at the first failure; it goes on trying all the same, until it is disconnected
 */
export async function connected(redis: Redis): Promise<void> {
  if (redis.status === "ready") return;
  const givenUp = new AbortController();
  const giveUp = () => givenUp.abort();
  redis.once("end", giveUp);
  try {
    const ready = once(redis, "ready", { signal: givenUp.signal });
    // It may be connecting already; and why it can't is told by the error event alone.
    redis.connect().catch(() => {});
    await ready;
  } finally {
    redis.off("end", giveUp);
  }
}
