import { describe, expect, it } from "vitest";
import { RateLimit } from "./rate-limit.ts";

function taken(limit: RateLimit, nowMs: number, count: number): number {
  return Array.from({ length: count }, () => limit.take(nowMs)).filter(Boolean).length;
}

describe("RateLimit", () => {
  it("lets so many through at once, and then as time passes", () => {
    const limit = new RateLimit(10, 0);
    expect(taken(limit, 0, 15)).toBe(10);
    expect(taken(limit, 50, 5)).toBe(0);
    expect(taken(limit, 100, 5)).toBe(1);
    expect(taken(limit, 600, 15)).toBe(5);
  });

  it("saves nothing for later", () => {
    const limit = new RateLimit(10, 0);
    expect(taken(limit, 60_000, 50)).toBe(10);
  });

  it("knows when nothing has been taken lately", () => {
    const limit = new RateLimit(10, 0);
    limit.take(0);
    expect(limit.isIdle(50)).toBe(false);
    expect(limit.isIdle(100)).toBe(true);
  });
});
