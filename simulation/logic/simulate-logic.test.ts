import { describe, expect, test } from "vitest";
import type { LogicStep } from "./logic-step.ts";
import { runSchedule, simulateLogic } from "./simulate-logic.ts";

/** Raise it now and then, so that other schedules are tried. */
const FIRST_SEED = 20_261_128;
const SCHEDULES_PER_TEST = 1_000;
const TESTS = Array.from({ length: 5 }, (_, index) => FIRST_SEED + index * SCHEDULES_PER_TEST);

describe("the logic", () => {
  test.each(TESTS)("breaks no invariant in 1,000 schedules from seed %d on", { timeout: 300_000 }, (first) => {
    for (let seed = first; seed < first + SCHEDULES_PER_TEST; seed += 1) {
      const failure = simulateLogic(seed, { redis: true, clockSteps: false, brokenCalls: false });
      expect(failure, `npm run simulate -- --seed ${seed}`).toBeUndefined();
    }
  });
});

/** Schedules in which the logic once broke an invariant. */
const REGRESSIONS: Readonly<Record<string, readonly LogicStep[]>> = {
  "a server that was forgotten takes no entry of its new stream for the next one of the old": [
    { kind: "connect", server: "s2", client: "anouk" },
    { kind: "run", durationMs: 1, host: "host-1" },
    { kind: "watch", server: "s2", client: "anouk" },
    { kind: "run", durationMs: 368, host: "host-1" },
    { kind: "run", durationMs: 1_102, host: "host-1" },
    { kind: "run", durationMs: 1_080, host: "host-1" },
    { kind: "heartbeat", server: "s1" },
    { kind: "run", durationMs: 449, host: "host-1" },
    { kind: "connect", server: "s2", client: "guest" },
    { kind: "run", durationMs: 1, host: "host-1" },
  ],
};

test.each(Object.entries(REGRESSIONS))("%s", (_name, steps) => {
  expect(() => runSchedule(steps)).not.toThrow();
});
