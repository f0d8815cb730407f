import { describe, expect, it } from "vitest";
import { ClockEstimate } from "./clock-estimate.ts";

describe("ClockEstimate", () => {
  it("returns undefined before the first sample", () => {
    expect(new ClockEstimate().at(5)).toBeUndefined();
  });

  it("assumes that the remote time was read halfway between request and reply", () => {
    const clock = new ClockEstimate();
    clock.observe(1_000_000, 100, 110);
    expect(clock.at(105)).toBe(1_000_000);
    expect(clock.at(205)).toBe(1_000_100);
  });

  it("uses the sample with the shortest round trip until it is a minute old", () => {
    const clock = new ClockEstimate();
    clock.observe(1_000_000, 100, 102);
    clock.observe(1_005_000, 1_000, 1_400);
    expect(clock.at(101)).toBe(1_000_000);
    clock.observe(1_005_000, 70_000, 70_400);
    expect(clock.at(70_200)).toBe(1_005_000);
  });
});
