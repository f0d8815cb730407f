import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { RedisServer, type RedisServerOptions } from "./redis-server.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

async function start(options?: RedisServerOptions): Promise<{ server: RedisServer; redis: Redis }> {
  const server = await RedisServer.start(options);
  const redis = new Redis(server.url, { retryStrategy: () => 20 });
  redis.on("error", () => {});
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  return { server, redis };
}

test("it is a Redis as it comes, without memory of its own", async () => {
  const { server, redis } = await start();
  expect(await redis.ping()).toBe("PONG");
  const settings = Object.fromEntries(pairs(await redis.config("GET", "notify-keyspace-events", "maxmemory", "hz")));
  expect(settings).toEqual({ "notify-keyspace-events": "", maxmemory: "0", hz: "10" });
  await redis.set("key", "value");
  await server.restart();
  expect(await redis.get("key")).toBeNull();
});

test("it takes further arguments", async () => {
  const { redis } = await start({ args: ["--hz", "50"] });
  expect(pairs(await redis.config("GET", "hz"))).toEqual([["hz", "50"]]);
});

test("one that persists knows what was written before it was killed, unless started empty", async () => {
  const { server, redis } = await start({ isPersistent: true });
  await redis.set("key", "value");
  await server.restart();
  expect(await redis.get("key")).toBe("value");
  await server.restartEmpty();
  expect(await redis.get("key")).toBeNull();
});

test("one that is paused answers nobody until it is resumed", async () => {
  const { server, redis } = await start();
  await redis.ping();
  server.pause();
  const answer = redis.ping();
  expect(await Promise.race([answer, delay(200, "silence")])).toBe("silence");
  server.resume();
  expect(await answer).toBe("PONG");
});

test("one that is killed is gone, and stops for good even when paused", async () => {
  const { server, redis } = await start();
  await redis.ping();
  await server.kill();
  const other = new Redis(server.url, { lazyConnect: true, retryStrategy: () => null });
  other.on("error", () => {});
  await expect(other.connect()).rejects.toThrow();
  await server.restart();
  server.pause();
  await server.stop();
});

test("it says so where there is no redis-server, and where it can't start", async () => {
  await expect(RedisServer.start({ args: ["--no-such-setting", "1"] })).rejects.toThrow(/ended while starting/);
  vi.stubEnv("REDIS_SERVER_PATH", "");
  vi.stubEnv("PATH", "/nowhere");
  await expect(RedisServer.start()).rejects.toThrow(/redis-server is not installed.*apt-get install redis-server/);
});

function pairs(flat: unknown): [string, string][] {
  const words = Array.isArray(flat) ? flat.map(String) : Object.entries(flat as object).flat();
  return Array.from({ length: words.length / 2 }, (_, index) => [words[2 * index] ?? "", words[2 * index + 1] ?? ""]);
}
