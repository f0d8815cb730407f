import { startTriggerHost, type TriggerHost } from "@presence/gears";
import { RedisServer } from "@presence/gears/testing";
import { loadRedisGears, type Triggers } from "@presence/gears/testing/homes";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, describe } from "vitest";
import { presencePlatformContract } from "../presence-platform.contract.ts";
import { RedisPresencePlatform } from "./redis-presence-platform.ts";

const D = 200;
const logger = pino({ level: process.env["TEST_LOG_LEVEL"] ?? "silent" });

const SWEEP_MS = 5;

describe("the presence platform on RedisGears, as far as it can be had", () => {
  let redis: RedisServer;
  let triggers: Triggers;
  let sweeping: NodeJS.Timeout;
  let servers = 0;

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

  presencePlatformContract(async ({ heartbeatIntervalMs }) => {
    servers += 1;
    await flush(redis.url);
    return await RedisPresencePlatform.connect({
      redisUrl: redis.url,
      serverId: `server-${servers}`,
      heartbeatIntervalMs,
      logger,
      functions: triggers.functions,
    });
  });
});

describe("the presence platform on Redis Functions", () => {
  let redis: RedisServer;
  let host: TriggerHost;
  let servers = 0;

  beforeAll(async () => {
    redis = await RedisServer.start();
    host = startTriggerHost({ redisUrl: redis.url, heartbeatIntervalMs: D, logger });
  });

  afterAll(async () => {
    await host.stop();
    await redis.stop();
  });

  presencePlatformContract(async ({ heartbeatIntervalMs }) => {
    servers += 1;
    await flush(redis.url);
    return await RedisPresencePlatform.connect({
      redisUrl: redis.url,
      serverId: `server-${servers}`,
      heartbeatIntervalMs,
      logger,
    });
  });
});

async function flush(url: string): Promise<void> {
  const connection = new Redis(url);
  await connection.flushall();
  connection.disconnect();
}
