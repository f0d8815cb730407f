import { describe, expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

function taken(bucket: TokenBucket, nowMs: number, count: number): number {
  return Array.from({ length: count }, () => bucket.take(nowMs)).filter(Boolean).length;
}

describe("TokenBucket", () => {
  it("allows one second's tokens at once and refills over time", () => {
    const bucket = new TokenBucket(10, 0);
    expect(taken(bucket, 0, 15)).toBe(10);
    expect(taken(bucket, 50, 5)).toBe(0);
    expect(taken(bucket, 100, 5)).toBe(1);
    expect(taken(bucket, 600, 15)).toBe(5);
  });

  it("holds the tokens of one second at most", () => {
    const bucket = new TokenBucket(10, 0);
    expect(taken(bucket, 60_000, 50)).toBe(10);
  });
});
