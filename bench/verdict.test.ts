import { describe, expect, it } from "vitest";
import { atLeast, atMost, formatVerdicts } from "./verdict.ts";

describe("verdicts", () => {
  it("reach a target exactly, and miss it by a hair", () => {
    expect([atLeast(2, "", 2), atLeast(2, "", 1.99), atMost(2, "", 2), atMost(2, "", 2.01)]).toMatchObject([
      { isReached: true },
      { isReached: false },
      { isReached: true },
      { isReached: false },
    ]);
  });

  it("don't call reached what could not be measured", () => {
    expect([atLeast(2, "", Number.NaN), atMost(2, "", Number.NaN)]).toMatchObject([
      { isReached: false },
      { isReached: false },
    ]);
  });

  it("are of ratios, or of what has another unit, or none", () => {
    expect([atLeast(2, "", 3), atMost(1_000, "", 644, "ms"), atMost(0, "", 2, "")]).toMatchObject([
      { measured: "3 ×", target: "≥ 2 ×", isReached: true },
      { measured: "644 ms", target: "≤ 1,000 ms", isReached: true },
      { measured: "2", target: "≤ 0", isReached: false },
    ]);
  });

  it("say what was aimed at beside what was measured", () => {
    const [, , row] = formatVerdicts([atLeast(25, "burst", 3.14)]).split("\n");
    expect(row?.split("|").map((cell) => cell.trim())).toEqual(["", "burst", "3.14 ×", "≥ 25 ×", "not reached", ""]);
  });
});
