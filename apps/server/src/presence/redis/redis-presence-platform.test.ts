import { startTriggerHost, type TriggerHost } from "@presence/gears";
import { loadRedisGears, type Triggers } from "@presence/gears/testing/runtimes";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, describe } from "vitest";
import { presencePlatformContract } from "../presence-platform.contract.ts";
import { type RedisPresenceOptions, RedisPresencePlatform } from "./redis-presence-platform.ts";

const D = 200;
const logger = pino({ level: process.env["TEST_LOG_LEVEL"] ?? "silent" });

/** How often RedisGears' clock is asked: far more often than a lease lives. */
const SWEEP_MS = 5;

describe("the presence platform on RedisGears, as far as it can be had", () => {
  let redis: RedisServer;
  let triggers: Triggers;
  let sweeping: NodeJS.Timeout;

  beforeAll(async () => {
    redis = await RedisServer.start();
    triggers = await loadRedisGears(redis.url, D);
    sweeping = setInterval(() => void triggers.functions.sweep("run"), SWEEP_MS);
  });

  afterAll(async () => {
    clearInterval(sweeping);
    await triggers.stop();
    await redis.stop();
  });

  presencePlatformContract((options) => connectToEmptied(redis, { ...options, functions: triggers.functions }));
});

describe("the presence platform on Redis Functions", () => {
  let redis: RedisServer;
  let host: TriggerHost;

  beforeAll(async () => {
    redis = await RedisServer.start();
    host = startTriggerHost({ redisUrl: redis.url, heartbeatIntervalMs: D, logger });
  });

  afterAll(async () => {
    await host.stop();
    await redis.stop();
  });

  presencePlatformContract((options) => connectToEmptied(redis, options));
});

let servers = 0;

/** One server more, each under a name of its own, on a Redis that holds nothing. */
async function connectToEmptied(
  { url }: RedisServer,
  options: Pick<RedisPresenceOptions, "heartbeatIntervalMs" | "functions">,
): Promise<RedisPresencePlatform> {
  const connection = new Redis(url);
  await connection.flushall();
  connection.disconnect();
  servers += 1;
  return await RedisPresencePlatform.connect({ redisUrl: url, serverId: `server-${servers}`, logger, ...options });
}
