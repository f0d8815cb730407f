import { RedisServer } from "@presence/gears/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { root } from "../setup/checkout.mjs";
import { runInTerminal, type TerminalCommand } from "../testing/terminal.ts";

const STOP_LIMIT_MS = 2_000;

function npmRun(script: string, { args = [] as string[], env = {} as Record<string, string> } = {}): TerminalCommand {
  const command = runInTerminal(["npm", "run", "--silent", script, "--", ...args], { cwd: root, env });
  onTestFinished(command.kill);
  return command;
}

async function startRedis(): Promise<RedisServer> {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  return redis;
}

/** What was said, without what was built, if sources have just changed. */
function wordsOf(command: TerminalCommand): string[] {
  return command
    .output()
    .split("\n")
    .filter((line) => line !== "" && !/ … /.test(line));
}

async function check(redisUrl: string): Promise<{ status: unknown; words: string[] }> {
  const command = npmRun("gears", { args: ["--check"], env: { REDIS_URL: redisUrl } });
  const status = await command.ended;
  return { status, words: wordsOf(command) };
}

describe("npm run gears", () => {
  it("hosts triggers until it is told to end", async () => {
    const redis = await startRedis();
    const host = npmRun("gears", { env: { REDIS_URL: redis.url } });
    await host.shows(/Ctrl-C stops it/);
    expect(host.output()).toContain(`beside Redis at 127.0.0.1:${redis.port}`);
    await expect
      .poll(() => check(redis.url), { timeout: 20_000 })
      .toEqual({ status: 0, words: [expect.stringMatching(/^The deadline clock last ran \d+ ms ago\.$/)] });

    const toldAt = performance.now();
    host.interrupt();
    expect([0, 130, "SIGINT"]).toContain(await host.ended);
    expect(performance.now() - toldAt).toBeLessThan(STOP_LIMIT_MS);
    expect(host.output()).not.toMatch(/npm (error|ERR!)/);
  });

  it("waits for a Redis that is away, saying so once, and works as soon as it is there", async () => {
    const redis = await startRedis();
    await redis.kill();
    const host = npmRun("gears", { env: { REDIS_URL: redis.url } });
    await host.shows(/ECONNREFUSED.*trying again/);
    await redis.restart();
    await expect.poll(() => check(redis.url), { timeout: 20_000 }).toMatchObject({ status: 0 });
    expect(host.output().match(/trying again/g)).toHaveLength(1);
  });

  it("says that no host works where none does", async () => {
    const redis = await startRedis();
    expect(await check(redis.url)).toEqual({ status: 1, words: ["The deadline clock has never run on this Redis."] });
  });

  it.each([
    ["REDIS_URL", {}],
    ["REDIS_URL", { REDIS_URL: "http://localhost" }],
    ["REDIS_URL", { REDIS_URL: "redis://one,http://two" }],
    ["HEARTBEAT_INTERVAL_MS", { REDIS_URL: "redis://localhost", HEARTBEAT_INTERVAL_MS: "0" }],
    ["LOG_LEVEL", { REDIS_URL: "redis://localhost", LOG_LEVEL: "loud" }],
  ])("says in one line what is wrong with %s: %j", async (name, env) => {
    const host = npmRun("gears", { env });
    expect(await host.ended).toBe(1);
    expect(wordsOf(host)).toEqual([expect.stringMatching(`^${name} must be `)]);
  });
});

describe("npm run gears:load", () => {
  it("says in one line that a Redis has no RedisGears, and that it needs no loading", async () => {
    const redis = await startRedis();
    const load = npmRun("gears:load", { env: { REDIS_URL: redis.url } });
    expect(await load.ended).toBe(1);
    expect(wordsOf(load)).toEqual([expect.stringMatching(/has no RedisGears\. Nothing needs loading there/)]);
  });

  it("says in one line that Redis can't be reached", async () => {
    const redis = await startRedis();
    await redis.kill();
    const load = npmRun("gears:load", { env: { REDIS_URL: redis.url } });
    expect(await load.ended).toBe(1);
    expect(wordsOf(load)).toEqual([expect.stringMatching(/can't be used \(connect ECONNREFUSED/)]);
  });
});
