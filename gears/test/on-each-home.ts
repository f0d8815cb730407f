import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import type { Home } from "../src/host/library.ts";
import { HOMES, IN_A_CLUSTER, type TestedRedis } from "./homes.ts";
import { TestPlatform } from "./platform.ts";

/** What a suite is given: a platform for one test, on an empty Redis; with a `d` of its own where it needs one. */
export type StartPlatform = (intervalMs?: number) => Promise<TestPlatform>;

/** Runs one suite on both homes of the logic, each beside a real Redis, and in a partition of a real cluster. */
export function onEachHome(suite: (start: StartPlatform, home: Home) => void): void {
  const places = [...HOMES.map((home) => ({ ...home, place: home.home })), { ...IN_A_CLUSTER, place: "a cluster" }];
  describe.each(places)("on $place", ({ home, load, startRedis }) => {
    let server: TestedRedis;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server.stop());
    suite(async (intervalMs) => {
      const platform = await TestPlatform.start(server, load, intervalMs);
      onTestFinished(() => platform.stop());
      return platform;
    }, home);
  });
}
