import { describe, expect, it } from "vitest";
import { atLeast, atMost, exactly, formatVerdicts } from "./verdict.ts";

describe("verdicts", () => {
  it.each([
    ["an exact value", 2, true, true],
    ["a slightly smaller value", 1.99, false, true],
    ["a slightly larger value", 2.01, true, false],
    ["a value that was not measured", Number.NaN, false, false],
  ])("compare %s with the target", (_, measured, isAtLeast, isAtMost) => {
    expect(atLeast(2, "", measured).isReached).toBe(isAtLeast);
    expect(atMost(2, "", measured).isReached).toBe(isAtMost);
  });

  it("are for ratios, for another unit, or for counts", () => {
    expect([atLeast(2, "", 3), atMost(1_000, "", 644, "ms"), atMost(0, "", 2, ""), exactly(5_000, "", 4_999)]).toEqual([
      { what: "", measured: "3 ×", target: "≥ 2 ×", isReached: true },
      { what: "", measured: "644 ms", target: "≤ 1,000 ms", isReached: true },
      { what: "", measured: "2", target: "≤ 0", isReached: false },
      { what: "", measured: "4,999", target: "5,000", isReached: false },
    ]);
  });

  it("show target and measured value in a table", () => {
    const [, , row] = formatVerdicts([atLeast(25, "burst", 3.14)]).split("\n");
    expect(row?.split("|").map((cell) => cell.trim())).toEqual(["", "burst", "3.14 ×", "≥ 25 ×", "not met", ""]);
  });
});
