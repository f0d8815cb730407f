import { describe, expect, it } from "vitest";
import { parseRetryAfterMs } from "./retry-after.ts";

describe("parseRetryAfterMs", () => {
  const now = Date.UTC(2026, 0, 15, 12);

  it("reads seconds and dates", () => {
    expect(parseRetryAfterMs("3", now)).toBe(3000);
    expect(parseRetryAfterMs("Thu, 15 Jan 2026 12:00:10 GMT", now)).toBe(10_000);
    expect(parseRetryAfterMs("Thu, 15 Jan 2026 11:00:00 GMT", now)).toBe(0);
  });

  it("ignores anything else", () => {
    expect(parseRetryAfterMs(null, now)).toBeUndefined();
    expect(parseRetryAfterMs("soon", now)).toBeUndefined();
  });
});
