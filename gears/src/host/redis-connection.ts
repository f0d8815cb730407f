import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";

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
} as const satisfies RedisOptions;

/**
 * A connection that comes back by itself. Until it has, its commands fail.
 *
 * @param url `redis://` or `rediss://`
 * @param name what `CLIENT LIST` shows
 */
export function createConnection(url: string, name: string, logger: Logger): Redis {
  const redis = new Redis(url, { ...OPTIONS, connectionName: name });
  let isLost = false;
  redis.on("error", (error: Error) => {
    if (!isLost) logger.warn({ err: error, connection: name }, "Redis can't be reached; trying again");
    isLost = true;
  });
  redis.on("ready", () => {
    if (isLost) logger.info({ connection: name }, "Redis is back");
    isLost = false;
  });
  return redis;
}
