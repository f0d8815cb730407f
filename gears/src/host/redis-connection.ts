import { once } from "node:events";
import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";
import { clusterConnector } from "./cluster-connector.ts";
import type { Partition } from "./partitions.ts";
import { parseRedisAddress, REDIS_URLS_ALLOWED } from "./redis-address.ts";

/** A connection without data for this long is considered dead, in ms. All connections are used far more often. */
const SOCKET_TIMEOUT_MS = 5_000;
const MAX_RETRY_MS = 1_000;

const OPTIONS = {
  // The code expects RESP2 replies.
  protocol: 2,
  socketTimeout: SOCKET_TIMEOUT_MS,
  connectTimeout: SOCKET_TIMEOUT_MS,
  // A command that can't be sent fails at once. The caller decides whether to retry, because a queued command may be stale.
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  lazyConnect: true,
  retryStrategy: (attempt: number) =>
    Math.min(MAX_RETRY_MS, 50 * 2 ** Math.min(attempt, 5)) * (0.5 + Math.random() / 2),
  // This Redis is a replica now, or its slot has moved to another primary.
  reconnectOnError: ({ message }: Error) => /^(READONLY|MOVED) /.test(message),
} as const satisfies RedisOptions;

/** How connections are made: `createConnection`, unless the composition root passes another function. */
export type ConnectRedis = typeof createConnection;

/**
 * Creates a connection that reconnects automatically. While it is disconnected, commands fail.
 *
 * @param url as `parseRedisAddress` accepts it
 * @param name the name in `CLIENT LIST`
 * @param partition in a cluster: the connection goes to the partition's primary and adds its prefix to keys
 * @throws if the URL is invalid
 */
export function createConnection(url: string, name: string, logger: Logger, partition?: Partition): Redis {
  const redis = connectionTo(url, name, partition);
  let state: "new" | "ready" | "lost" = "new";
  redis.on("error", (error: Error) => {
    // Only the message: the error also contains the failed command, which may include the password.
    if (state === "ready")
      logger.warn({ reason: error.message, connection: name }, "connection to Redis lost; retrying");
    if (state !== "new") state = "lost";
  });
  redis.on("ready", () => {
    if (state === "lost") logger.info({ connection: name }, "connection to Redis restored");
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
  // A hanging primary does not close its connections. The failover detector reconnects when Sentinels report a new one.
  return new Redis({ ...OPTIONS, ...group, connectionName, failoverDetector: true });
}

/**
 * Resolves when the connection is ready.
 *
 * @throws the error of the first failed attempt; the connection keeps retrying until `disconnect`
 */
export async function connected(redis: Redis): Promise<void> {
  if (redis.status === "ready") return;
  const ended = new AbortController();
  const onEnd = () => ended.abort();
  redis.once("end", onEnd);
  try {
    const ready = once(redis, "ready", { signal: ended.signal });
    // Rejects if it is already connecting. Only the error event has the cause of a failure.
    redis.connect().catch(() => {});
    await ready;
  } finally {
    redis.off("end", onEnd);
  }
}
