import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import type { Home } from "../src/host/library.ts";
import { HOMES } from "./homes.ts";
import { TestPlatform } from "./platform.ts";
import { RedisServer } from "./redis-server.ts";

/** What a suite is given: a platform for one test, on an empty Redis; with a `d` of its own where it needs one. */
export type StartPlatform = (intervalMs?: number) => Promise<TestPlatform>;

/** Runs one suite on both homes of the logic, each beside a real Redis. */
export function onEachHome(suite: (start: StartPlatform, home: Home) => void): void {
  describe.each(HOMES)("on $home", ({ home, load }) => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await RedisServer.start();
    });
    afterAll(() => server.stop());
    suite(async (intervalMs) => {
      const platform = await TestPlatform.start(server, load, intervalMs);
      onTestFinished(() => platform.stop());
      return platform;
    }, home);
  });
}
