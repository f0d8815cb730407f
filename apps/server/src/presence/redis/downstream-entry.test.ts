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

describe("an entry of a server's stream", () => {
  it("is an event, with how late it was", () => {
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

  it("is one in any order of its fields, and with others beside them", () => {
    const turned = Object.fromEntries(Object.entries({ ...ENTRY, guest: "1", later: "addition" }).reverse());
    expect(parse(turned)).toEqual({ ...parse(ENTRY), guest: true });
  });

  it("has no lateness where no lease ran out", () => {
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
  ])("is none of ours where its %s is %s", (field, value) => {
    expect(parse({ ...ENTRY, [field]: value })).toBeUndefined();
  });
});
