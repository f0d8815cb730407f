import { expect, it } from "vitest";
import { parseFrameCommand, parseFrameMessage } from "./frame-protocol.ts";

const sighting = { subject: "omar", status: "ONLINE", sinceMs: 5, seenAtMs: undefined };

it("reads what a frame says", () => {
  const connection = { kind: "connection", client: "anouk", state: "live" };
  const sightings = { kind: "sightings", client: "anouk", sightings: [sighting] };
  expect(parseFrameMessage(connection)).toEqual(connection);
  expect(parseFrameMessage(sightings)).toEqual(sightings);
});

it.each([
  undefined,
  "live",
  { kind: "connection", client: "anouk", state: "great" },
  { kind: "connection", client: "a/b", state: "live" },
  { kind: "sightings", client: "anouk", sightings: [{ ...sighting, status: "AWAY" }] },
  { kind: "sightings", client: "anouk", sightings: {} },
])("ignores %j", (data) => {
  expect(parseFrameMessage(data)).toBeUndefined();
});

it("reads commands, and only those it knows", () => {
  expect(parseFrameCommand({ command: "cut-network" })).toBe("cut-network");
  expect(parseFrameCommand({ command: "format-disk" })).toBeUndefined();
  expect(parseFrameCommand(null)).toBeUndefined();
});
