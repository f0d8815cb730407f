import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { findRedis } from "./redis.mjs";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "presence-find-redis-"));
  vi.stubEnv("REDIS_SERVER_PATH", "");
  vi.stubEnv("PATH", folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A program that tells this version, and does nothing else. */
async function install(name: string, words: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\necho '${words}'\n`);
  await chmod(path, 0o755);
  return path;
}

/** One that an earlier run has put into this checkout is not looked at. */
const find = () => findRedis({ mayInstall: false, ourFolder: join(folder, "ours") });

it("takes what is on the PATH", async () => {
  const path = await install("redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64");
  expect(await find()).toEqual({ REDIS_SERVER_PATH: path });
});

it("takes a Valkey", async () => {
  const path = await install("valkey-server", "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64");
  expect(await find()).toEqual({ REDIS_SERVER_PATH: path });
});

it("passes over one that is too old for a newer one", async () => {
  await install("redis-server", "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64");
  const path = await install("valkey-server", "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64");
  expect(await find()).toEqual({ REDIS_SERVER_PATH: path });
});

it("takes the one that is named before all others", async () => {
  await install("redis-server", "Redis server v=7.0.15");
  const path = await install("another", "Redis server v=8.0.2");
  vi.stubEnv("REDIS_SERVER_PATH", path);
  expect(await find()).toEqual({ REDIS_SERVER_PATH: path });
});

it("says in one line why the one that is named won't do", async () => {
  vi.stubEnv("REDIS_SERVER_PATH", await install("another", "hello\nworld"));
  await expect(find()).rejects.toThrow(/^REDIS_SERVER_PATH is .*another, which can't be used.*: hello$/);
  vi.stubEnv("REDIS_SERVER_PATH", join(folder, "missing"));
  await expect(find()).rejects.toThrow(/^REDIS_SERVER_PATH is .*ENOENT.*$/);
});

it("says how to get one where there is none, and what is wrong with one that is too old", async () => {
  const path = await install("redis-server", "Redis server v=6.0.16 sha=00000000:0");
  await expect(find()).rejects.toThrow(/apt-get install redis-server.*REDIS_SERVER_PATH/s);
  await expect(find()).rejects.toThrow(`${path}: it is older than 7.0 (Redis server v=6.0.16 sha=00000000:0)`);
});
