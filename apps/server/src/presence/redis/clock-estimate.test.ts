import { describe, expect, it } from "vitest";
import { ClockEstimate } from "./clock-estimate.ts";

describe("ClockEstimate", () => {
  it("knows nothing before the first answer", () => {
    expect(new ClockEstimate().at(5)).toBeUndefined();
  });

  it("takes an answer's time for that of the middle between question and answer", () => {
    const clock = new ClockEstimate();
    clock.observe(1_000_000, 100, 110);
    expect(clock.at(105)).toBe(1_000_000);
    expect(clock.at(205)).toBe(1_000_100);
  });

  it("believes the quickest answer, until that is a minute old", () => {
    const clock = new ClockEstimate();
    clock.observe(1_000_000, 100, 102);
    clock.observe(1_005_000, 1_000, 1_400);
    expect(clock.at(101)).toBe(1_000_000);
    clock.observe(1_005_000, 70_000, 70_400);
    expect(clock.at(70_200)).toBe(1_005_000);
  });
});
