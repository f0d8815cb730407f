import { describe, expect, it } from "vitest";
import { backOffMs, maxBackOffMs, retryAfterSeconds, retryRangeMs } from "./reconnect-delay.ts";

const ALMOST_ONE = 0.999_999;

describe("backOffMs", () => {
  it("doubles the upper bound with each attempt, up to the cap", () => {
    const waits = [1, 2, 3, 4, 5, 50, 5_000].map((attempt) => backOffMs(attempt, 1_000, 10_000, ALMOST_ONE));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
  });

  it("spreads over the whole range, but not below the minimum", () => {
    expect(backOffMs(4, 1_000, 10_000, 0.5)).toBe(4_000);
    expect(backOffMs(4, 1_000, 10_000, 0)).toBe(250);
  });
});

describe("the wait before a reconnection", () => {
  it.each([100, 400, 1_000, 2_000, 3_999, 5_000, 20_000, 60_000])(
    "leaves a quarter of the hold of 1.25 intervals for the connection, with an interval of %i ms",
    (heartbeatIntervalMs) => {
      const { min, max } = retryRangeMs(heartbeatIntervalMs);
      const longestBackOffMs = backOffMs(5_000, max, maxBackOffMs(heartbeatIntervalMs), ALMOST_ONE);
      for (const retryMs of [min, (min + max) / 2, max]) {
        const retryAfterMs = 1_000 * retryAfterSeconds(retryMs, heartbeatIntervalMs);
        expect(retryAfterMs + longestBackOffMs).toBeLessThanOrEqual(heartbeatIntervalMs);
      }
      expect(max).toBeLessThan(heartbeatIntervalMs / 2);
    },
  );

  it("has a Retry-After of one or two seconds with the default interval of 5 s", () => {
    expect(retryAfterSeconds(500, 5_000)).toBe(1);
    expect(retryAfterSeconds(1_500, 5_000)).toBe(2);
  });
});
