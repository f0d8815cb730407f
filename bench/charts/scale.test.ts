import { describe, expect, it } from "vitest";
import { scaleOf } from "./scale.ts";

describe("a linear scale", () => {
  it("begins at 0, so that lengths compare as figures do", () => {
    const { shareOf } = scaleOf([50, 100], false);
    expect(shareOf(0)).toBe(0);
    expect(shareOf(100) / shareOf(50)).toBeCloseTo(2);
    expect(shareOf(100)).toBeGreaterThan(0.9);
    expect(shareOf(100)).toBeLessThanOrEqual(1);
  });

  it.each([
    [[4_049_134], [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000]],
    [[0.57], [0, 0.2, 0.4]],
    [[60], [0, 20, 40, 60]],
    [[100], [0, 50, 100]],
  ])("has few ticks up to %s, all round", (values, ticks) => {
    expect(scaleOf(values, false).ticks).toEqual(ticks);
  });
});

describe("a logarithmic scale", () => {
  it("takes the same way for the same ratio, from the power of ten below", () => {
    const { shareOf, ticks } = scaleOf([31.9, 2_087], true);
    expect(ticks).toEqual([10, 100, 1_000]);
    expect(shareOf(10)).toBe(0);
    expect(shareOf(1_000) - shareOf(100)).toBeCloseTo(shareOf(100) - shareOf(10));
    expect(shareOf(2_087)).toBeLessThanOrEqual(1);
  });

  it("holds what is below its beginning there", () => {
    expect(scaleOf([31.9, 2_087], true).shareOf(1)).toBe(0);
  });

  it("has exact ticks below 1", () => {
    expect(scaleOf([0.002, 0.5], true).ticks).toEqual([0.001, 0.01, 0.1]);
  });
});
