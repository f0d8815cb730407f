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

test("runs with Redis's default settings and keeps nothing over a restart", async () => {
  const { server, redis } = await start();
  expect(await redis.ping()).toBe("PONG");
  const settings = Object.fromEntries(pairs(await redis.config("GET", "notify-keyspace-events", "maxmemory", "hz")));
  expect(settings).toEqual({ "notify-keyspace-events": "", maxmemory: "0", hz: "10" });
  await redis.set("key", "value");
  await server.restart();
  expect(await redis.get("key")).toBeNull();
});

test("accepts further arguments", async () => {
  const { redis } = await start({ args: ["--hz", "50"] });
  expect(pairs(await redis.config("GET", "hz"))).toEqual([["hz", "50"]]);
});

test("runs commands with redis-cli", async () => {
  const { server } = await start();
  expect(await server.cli("SET", "key", "two words")).toBe("OK");
  expect(await server.cli("GET", "key")).toBe("two words");
  await expect(server.cli("GET")).rejects.toThrow();
});

test("keeps its data over a restart if it is persistent, unless it is restarted empty", async () => {
  const { server, redis } = await start({ isPersistent: true });
  await redis.set("key", "value");
  await server.restart();
  expect(await redis.get("key")).toBe("value");
  await server.restartEmpty();
  expect(await redis.get("key")).toBeNull();
});

test("does not answer while it is paused", async () => {
  const { server, redis } = await start();
  await redis.ping();
  server.pause();
  const answer = redis.ping();
  expect(await Promise.race([answer, delay(200, "silence")])).toBe("silence");
  server.resume();
  expect(await answer).toBe("PONG");
});

test("does not listen after it was killed, and stops also while it is paused", async () => {
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

test("says if redis-server is not installed or does not start", async () => {
  await expect(RedisServer.start({ args: ["--no-such-setting", "1"] })).rejects.toThrow(/exited while starting/);
  vi.stubEnv("REDIS_SERVER_PATH", "");
  vi.stubEnv("PATH", "/nowhere");
  await expect(RedisServer.start()).rejects.toThrow(/redis-server is not installed.*apt-get install redis-server/);
});

function pairs(flat: unknown): [string, string][] {
  const words = Array.isArray(flat) ? flat.map(String) : Object.entries(flat as object).flat();
  return Array.from({ length: words.length / 2 }, (_, index) => [words[2 * index] ?? "", words[2 * index + 1] ?? ""]);
}
