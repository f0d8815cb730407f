import { expect, it } from "vitest";
import { parseFrameCommand, parseFrameMessage } from "./frame-protocol.ts";

const change = { subject: "omar", status: "ONLINE", sinceMs: 5, seenAtMs: undefined };

it("accepts a frame's messages", () => {
  const connection = { kind: "connection", client: "anouk", state: "live" };
  const changes = { kind: "changes", client: "anouk", changes: [change] };
  expect(parseFrameMessage(connection)).toEqual(connection);
  expect(parseFrameMessage(changes)).toEqual(changes);
});

it.each([
  undefined,
  "live",
  { kind: "connection", client: "anouk", state: "great" },
  { kind: "connection", client: "a/b", state: "live" },
  { kind: "changes", client: "anouk", changes: [{ ...change, status: "AWAY" }] },
  { kind: "changes", client: "anouk", changes: {} },
])("ignores %j", (data) => {
  expect(parseFrameMessage(data)).toBeUndefined();
});

it("accepts known commands only", () => {
  expect(parseFrameCommand({ command: "cut-network" })).toBe("cut-network");
  expect(parseFrameCommand({ command: "format-disk" })).toBeUndefined();
  expect(parseFrameCommand(null)).toBeUndefined();
});
