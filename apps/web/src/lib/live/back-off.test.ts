import { describe, expect, it } from "vitest";
import { BACK_OFF_CAP_MS, backOffMs } from "./back-off.ts";

describe("backOffMs", () => {
  it("doubles the upper bound with each attempt, up to the cap", () => {
    const ceilings = [1, 2, 3, 4, 5, 50, 5000].map((attempt) => backOffMs(attempt, 1000, 0.999_999));
    expect(ceilings).toEqual([1000, 2000, 4000, 8000, BACK_OFF_CAP_MS, BACK_OFF_CAP_MS, BACK_OFF_CAP_MS]);
  });

  it("spreads over the whole range, but not below the minimum", () => {
    expect(backOffMs(4, 1000, 0.5)).toBe(4000);
    expect(backOffMs(4, 1000, 0)).toBe(250);
  });
});
