import { describe, expect, it } from "vitest";
import { formatEventId, parseEventId } from "./event-id.ts";

describe("parseEventId", () => {
  it("parses what formatEventId returns", () => {
    const id = { epoch: "2m3k1ml0iovh9", version: 1795503485167000 };
    expect(parseEventId(formatEventId(id))).toEqual(id);
  });

  it.each([
    "",
    "garbage",
    "e.",
    ".1",
    "e.1.2",
    "e.-1",
    "E.1",
    "e.1e3",
    "e. 1",
    "e.99999999999999999",
    `${"e".repeat(33)}.1`,
  ])("rejects %j", (text) => {
    expect(parseEventId(text)).toBeUndefined();
  });

  it("rejects a version that is not a safe integer", () => {
    expect(parseEventId("e.9007199254740993")).toBeUndefined();
  });
});
