import { startTriggerHost, type TriggerHost } from "@presence/gears";
import { loadRedisGears, type Triggers } from "@presence/gears/testing/runtimes";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
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

it("tells listeners to read again after presence was lost, also if no connection to Redis was", async () => {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  const platform = await connectToEmptyRedis(redis, { heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS });
  onTestFinished(() => platform.close());
  const calls: string[] = [];
  platform.subscribe({ onEvents: () => {}, onGap: () => calls.push("gap"), onLost: () => calls.push("lost") });
  const pausedAt = Date.now();
  redis.pause();
  onTestFinished(() => redis.resume());
  await vi.waitFor(() => expect(calls).toEqual(["lost"]), { timeout: 4_000, interval: 10 });
  expect(platform.readiness().ready).toBe(false);
  // The read that was waiting may have been answered a moment before the pause, or a second earlier.
  expect(platform.completeUntilMs()).toBeGreaterThan(pausedAt - 1_500);
  expect(platform.completeUntilMs()).toBeLessThan(pausedAt + 200);
  redis.resume();
  await vi.waitFor(() => expect(calls).toEqual(["lost", "gap"]), { timeout: 4_000, interval: 10 });
  expect(platform.readiness().ready).toBe(true);
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
