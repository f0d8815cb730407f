import { startTriggerHost, type TriggerHost } from "@presence/gears";
import { loadRedisGears, type Triggers } from "@presence/gears/testing/runtimes";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, describe } from "vitest";
import { HEARTBEAT_INTERVAL_MS, presencePlatformContract } from "../presence-platform.contract.ts";
import { type RedisPresenceOptions, RedisPresencePlatform } from "./redis-presence-platform.ts";

const logger = pino({ level: process.env["TEST_LOG_LEVEL"] ?? "silent" });

/** How often the sweep of RedisGears is called, in ms. Much shorter than a lease. */
const SWEEP_MS = 5;

describe("RedisPresencePlatform on RedisGears (real or simulated)", () => {
  let redis: RedisServer;
  let triggers: Triggers;
  let sweeping: NodeJS.Timeout;

  beforeAll(async () => {
    redis = await RedisServer.start();
    triggers = await loadRedisGears(redis.url, HEARTBEAT_INTERVAL_MS);
    sweeping = setInterval(() => void triggers.functions.sweep(), SWEEP_MS);
  });

  afterAll(async () => {
    clearInterval(sweeping);
    await triggers.stop();
    await redis.stop();
  });

  presencePlatformContract((options) => connectToEmptyRedis(redis, { ...options, functions: triggers.functions }));
});

describe("RedisPresencePlatform on Redis Functions", () => {
  let redis: RedisServer;
  let host: TriggerHost;

  beforeAll(async () => {
    redis = await RedisServer.start();
    host = startTriggerHost({ redisUrl: redis.url, heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS, logger });
  });

  afterAll(async () => {
    await host.stop();
    await redis.stop();
  });

  presencePlatformContract((options) => connectToEmptyRedis(redis, options));
});

let servers = 0;

/** Empties Redis and connects a server with a new id. */
async function connectToEmptyRedis(
  { url }: RedisServer,
  options: Pick<RedisPresenceOptions, "heartbeatIntervalMs" | "functions">,
): Promise<RedisPresencePlatform> {
  const connection = new Redis(url);
  await connection.flushall();
  connection.disconnect();
  servers += 1;
  return await RedisPresencePlatform.connect({ redisUrl: url, serverId: `server-${servers}`, logger, ...options });
}
