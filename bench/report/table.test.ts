import { describe, expect, it } from "vitest";
import { formatNumber, formatRatio, formatTable } from "./table.ts";

describe("formatTable", () => {
  it("aligns names left and figures right", () => {
    expect(
      formatTable(
        ["server", "per second"],
        [
          ["this one", "1,000"],
          ["a peer", "20"],
        ],
      ),
    ).toBe(
      [
        "| server   | per second |",
        "| -------- | ---------: |",
        "| this one |      1,000 |",
        "| a peer   |         20 |",
      ].join("\n"),
    );
  });
});

describe("formatNumber", () => {
  it.each([
    [1_234_567.8, "1,234,568"],
    [99.94, "99.9"],
    [0.012_34, "0.0123"],
    [0, "0"],
    [Number.NaN, "–"],
  ])("writes %d as %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

describe("formatRatio", () => {
  it("compares with the reference", () => {
    expect(formatRatio(50, 20)).toBe("2.5 ×");
  });
});
