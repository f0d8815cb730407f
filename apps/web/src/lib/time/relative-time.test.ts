import { describe, expect, it } from "vitest";
import { formatDuration, relativeTime, secondsUntil } from "./relative-time.ts";

const NOW = Date.UTC(2026, 0, 15, 12);

describe("relativeTime", () => {
  it.each([
    [0, "just now"],
    [4_999, "just now"],
    [5_000, "5 s ago"],
    [14_999, "10 s ago"],
    [59_999, "55 s ago"],
    [60_000, "1 min ago"],
    [59 * 60_000, "59 min ago"],
    [60 * 60_000, "1 h ago"],
    [23 * 3_600_000, "23 h ago"],
    [24 * 3_600_000, "yesterday"],
    [72 * 3_600_000, "3 days ago"],
  ])("%d ms ago is %s", (agoMs, words) => {
    expect(relativeTime(NOW - agoMs, NOW)).toBe(words);
  });

  it("returns 'just now' for a time in the future", () => {
    expect(relativeTime(NOW + 3_000, NOW)).toBe("just now");
  });
});

describe("formatDuration", () => {
  it.each([
    [-3, "0 ms"],
    [3.6, "4 ms"],
    [999, "999 ms"],
    [7_420, "7.4 s"],
    [120_000, "2 min"],
  ])("%d is %s", (durationMs, words) => {
    expect(formatDuration(durationMs)).toBe(words);
  });
});

describe("secondsUntil", () => {
  it("rounds up and never shows zero", () => {
    expect(secondsUntil(NOW + 2_001, NOW)).toBe(3);
    expect(secondsUntil(NOW - 50, NOW)).toBe(1);
  });
});
