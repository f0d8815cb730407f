import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { describeMissing, findPrograms, requirePrograms } from "./programs.mjs";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "presence-programs-"));
  vi.stubEnv("REDIS_SERVER_PATH", "");
  vi.stubEnv("PATH", folder);
  return async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  };
});

/** Creates a program that only prints this text. */
async function install(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\necho '${text}'\n`);
  await chmod(path, 0o755);
  return path;
}

const findRedis = async () => requirePrograms(await findPrograms(["redis"]));

it.each([
  ["redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"],
  ["valkey-server", "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"],
])("finds %s on the PATH", async (name, version) => {
  const path = await install(name, version);
  expect(await findRedis()).toEqual({ REDIS_SERVER_PATH: path });
});

it("skips a server that is too old", async () => {
  await install("redis-server", "Redis server v=6.0.16 sha=00000000:0");
  const path = await install("valkey-server", "Valkey server v=8.1.1 sha=00000000:0");
  expect(await findRedis()).toEqual({ REDIS_SERVER_PATH: path });
});

it("prefers REDIS_SERVER_PATH", async () => {
  await install("redis-server", "Redis server v=7.0.15");
  const path = await install("another", "Redis server v=8.0.2");
  vi.stubEnv("REDIS_SERVER_PATH", path);
  expect(await findRedis()).toEqual({ REDIS_SERVER_PATH: path });
});

it("reports in one line why REDIS_SERVER_PATH cannot be used", async () => {
  vi.stubEnv("REDIS_SERVER_PATH", await install("another", "hello\nworld"));
  await expect(findRedis()).rejects.toThrow(/^REDIS_SERVER_PATH is .*another, which cannot be used.*: hello$/);
  vi.stubEnv("REDIS_SERVER_PATH", join(folder, "missing"));
  await expect(findRedis()).rejects.toThrow(/^REDIS_SERVER_PATH is .*ENOENT.*$/);
});

it("reports what is missing, what is too old, and the command that installs it", async () => {
  await install("apt-get", "");
  const path = await install("redis-server", "Redis server v=6.0.16 sha=00000000:0");
  await expect(findRedis()).rejects.toThrow(`${path}: it is older than 7.0 (Redis server v=6.0.16 sha=00000000:0)`);
  const missing = new Map([["browser", "a browser"] as const, ["redis", "a Redis server"] as const]);
  expect(describeMissing(missing)).toMatch(
    /a browser\n.*a Redis server\n.*sudo apt-get install -y chromium redis-server$/,
  );
});

it("names no command on a system without apt", async () => {
  await expect(findRedis()).rejects.toThrow(/^Missing on this system:\n {2}- a Redis server, 7\.0 or later.*$/);
});
