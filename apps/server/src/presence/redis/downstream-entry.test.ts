import { describe, expect, it } from "vitest";
import { parseDownstreamEntry } from "./downstream-entry.ts";

const ENTRY = {
  client: "anouk",
  status: "OFFLINE",
  at: "1795503485166",
  reason: "timed-out",
  version: "1795503485166001",
  sequence: "7",
  epoch: "3k9f",
  due: "1795503485160",
};

function parse(fields: Readonly<Record<string, string | undefined>>) {
  return parseDownstreamEntry(
    Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [field, value])),
  );
}

describe("parseDownstreamEntry", () => {
  it("returns the event and its lag", () => {
    expect(parse(ENTRY)).toEqual({
      client: "anouk",
      status: "OFFLINE",
      at: 1795503485166,
      reason: "timed-out",
      version: 1795503485166001,
      sequence: 7,
      epoch: "3k9f",
      guest: false,
      lagMs: 6,
    });
  });

  it("accepts fields in any order and ignores unknown fields", () => {
    const reordered = Object.fromEntries(Object.entries({ ...ENTRY, guest: "1", later: "addition" }).reverse());
    expect(parse(reordered)).toEqual({ ...parse(ENTRY), guest: true });
  });

  it("returns no lag if no lease expired", () => {
    expect(parse({ ...ENTRY, reason: "left", due: undefined })).not.toHaveProperty("lagMs");
  });

  it.each([
    ["client", "../anouk"],
    ["client", undefined],
    ["status", "AWAY"],
    ["reason", "because"],
    ["at", "noon"],
    ["at", "0"],
    ["version", "1.5"],
    ["version", undefined],
    ["sequence", "-1"],
    ["due", "never"],
    ["due", ""],
    ["due", "Infinity"],
  ])("returns undefined if %s is %s", (field, value) => {
    expect(parse({ ...ENTRY, [field]: value })).toBeUndefined();
  });
});
