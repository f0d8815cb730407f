import { describe, expect, it } from "vitest";
import { initialsOf, TINTS, tintOf } from "./avatar.ts";

describe("tintOf", () => {
  it("is the same on every machine", () => {
    expect(tintOf("anouk")).toBe(tintOf("anouk"));
    expect([tintOf("anouk"), tintOf("magali"), tintOf("omar")]).toEqual([3, 2, 8]);
  });

  it("uses the whole palette for similar ids", () => {
    const used = new Set(Array.from({ length: 100 }, (_, index) => tintOf(`guest-${index}`)));
    expect(used.size).toBe(TINTS);
  });
});

describe("initialsOf", () => {
  it.each([
    ["Magali Roux", "MR"],
    ["omar", "O"],
    ["Ana María de la Cruz", "AC"],
    ["guest-42", "G4"],
    ["Élise", "É"],
    ["___", "?"],
    ["", "?"],
  ])("%s → %s", (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });
});
