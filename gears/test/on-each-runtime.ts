import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import type { Runtime } from "../src/host/library.ts";
import { TestPlatform } from "./platform.ts";
import { IN_A_CLUSTER, RUNTIMES, type TestedRedis } from "./runtimes.ts";

/** Starts a platform for one test on an empty Redis. The default of `intervalMs`, `d`, is `INTERVAL_MS`. */
export type StartPlatform = (intervalMs?: number) => Promise<TestPlatform>;

/** Runs a suite on both runtimes of the logic with a real Redis, and in a partition of a real cluster. */
export function onEachRuntime(suite: (start: StartPlatform, runtime: Runtime) => void): void {
  const places = [
    ...RUNTIMES.map((runtime) => ({ ...runtime, place: runtime.runtime })),
    { ...IN_A_CLUSTER, place: "a cluster" },
  ];
  describe.each(places)("on $place", ({ runtime, load, startRedis }) => {
    let server: TestedRedis;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server.stop());
    suite(async (intervalMs) => {
      const platform = await TestPlatform.start(server, load, intervalMs);
      onTestFinished(() => platform.stop());
      return platform;
    }, runtime);
  });
}
