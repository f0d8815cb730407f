import { RedisServer } from "@presence/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { runInTerminal, type TerminalCommand } from "./testing/terminal.ts";

const POLL = { timeout: 20_000 };

function npmRun(script: string, env: Record<string, string>, ...args: string[]): TerminalCommand {
  return runInTerminal(["npm", "run", "--silent", script, "--", ...args], { env });
}

async function startRedis(): Promise<RedisServer> {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  return redis;
}

async function check(redisUrl: string): Promise<{ status: unknown; lines: string[] }> {
  const command = npmRun("gears", { REDIS_URL: redisUrl }, "--check");
  const status = await command.ended;
  return { status, lines: command.lines() };
}

describe("npm run gears", () => {
  it("hosts the triggers until Ctrl-C", async () => {
    const redis = await startRedis();
    const host = npmRun("gears", { REDIS_URL: redis.url });
    await host.shows(/Ctrl-C stops it/);
    expect(host.output()).toContain(`beside Redis at 127.0.0.1:${redis.port}`);
    await expect
      .poll(() => check(redis.url), POLL)
      .toEqual({ status: 0, lines: [expect.stringMatching(/^The deadline clock last ran \d+ ms ago\.$/)] });

    host.signal("SIGINT");
    expect([0, 130, "SIGINT"]).toContain(await host.ended);
    expect(host.output()).not.toMatch(/npm (error|ERR!)/);
  });

  it("waits for a Redis that cannot be reached, reports it once, and works as soon as Redis is back", async () => {
    const redis = await startRedis();
    await redis.kill();
    const host = npmRun("gears", { REDIS_URL: redis.url });
    await host.shows(/ECONNREFUSED.*retrying/);
    await redis.restart();
    await expect.poll(() => check(redis.url), POLL).toMatchObject({ status: 0 });
    expect(host.output().match(/retrying/g)).toHaveLength(1);
  });

  it("reports with --check that no trigger host runs", async () => {
    const redis = await startRedis();
    expect(await check(redis.url)).toEqual({ status: 1, lines: ["The deadline clock has never run on this Redis."] });
  });

  it.each([
    ["REDIS_URL", {}],
    ["REDIS_URL", { REDIS_URL: "http://localhost" }],
    ["REDIS_URL", { REDIS_URL: "redis://one,http://two" }],
    ["HEARTBEAT_INTERVAL_MS", { REDIS_URL: "redis://localhost", HEARTBEAT_INTERVAL_MS: "0" }],
    ["LOG_LEVEL", { REDIS_URL: "redis://localhost", LOG_LEVEL: "loud" }],
  ])("reports in one line what is wrong with %s: %j", async (name, env) => {
    const host = npmRun("gears", env);
    expect(await host.ended).toBe(1);
    expect(host.lines()).toEqual([expect.stringMatching(`^${name} must be `)]);
  });
});

describe("npm run gears:load", () => {
  it("reports in one line that a Redis has no RedisGears and needs no loading", async () => {
    const redis = await startRedis();
    const load = npmRun("gears:load", { REDIS_URL: redis.url });
    expect(await load.ended).toBe(1);
    expect(load.lines()).toEqual([expect.stringMatching(/has no RedisGears\./)]);
  });

  it("reports in one line that Redis cannot be reached", async () => {
    const redis = await startRedis();
    await redis.kill();
    const load = npmRun("gears:load", { REDIS_URL: redis.url });
    expect(await load.ended).toBe(1);
    expect(load.lines()).toEqual([expect.stringMatching(/\(connect ECONNREFUSED/)]);
  });
});
