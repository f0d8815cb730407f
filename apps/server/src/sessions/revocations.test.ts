import { describe, expect, it } from "vitest";
import { Revocations } from "./revocations.ts";

describe("Revocations", () => {
  it("knows what was added, and nothing else", () => {
    const revocations = new Revocations();
    revocations.add("a", 2_000, 1_000);
    expect(revocations.has("a")).toBe(true);
    expect(revocations.has("b")).toBe(false);
  });

  it("forgets what would have ended anyway, when it grows", () => {
    const revocations = new Revocations();
    revocations.add("early", 2_000, 1_000);
    revocations.add("late", 9_000, 1_000);
    revocations.add("new", 9_000, 2_000);
    expect(revocations.has("early")).toBe(false);
    expect(revocations.has("late")).toBe(true);
    expect(revocations.has("new")).toBe(true);
  });
});
