import { describe, expect, it } from "vitest";
import { EMPTY_LOG, latestSummary, onlinePeriods, withAction, withChanges } from "./demo-log.ts";

const CLIENTS = ["anouk", "magali", "omar"];
const online = (subject: string, sinceMs: number, seenAtMs?: number) => ({
  subject,
  status: "ONLINE" as const,
  sinceMs,
  seenAtMs,
});
const offline = (subject: string, sinceMs: number, seenAtMs?: number) => ({
  subject,
  status: "OFFLINE" as const,
  sinceMs,
  seenAtMs,
});

describe("withChanges", () => {
  it("collects the observations of one change by several viewers", () => {
    let log = withChanges(EMPTY_LOG, "anouk", [offline("omar", 1000, 1003)], CLIENTS);
    log = withChanges(log, "magali", [offline("omar", 1000, 1005)], CLIENTS);
    log = withChanges(log, "magali", [offline("omar", 1000, 9999)], CLIENTS);
    expect(log.statusChanges).toEqual([
      {
        key: "omar OFFLINE 1000",
        subject: "omar",
        status: "OFFLINE",
        atMs: 1000,
        observations: [
          { viewer: "anouk", atMs: 1003, delayMs: 3 },
          { viewer: "magali", atMs: 1005, delayMs: 5 },
        ],
      },
    ]);
  });

  it("adds a change from a snapshot without an observation", () => {
    const log = withChanges(EMPTY_LOG, "anouk", [online("omar", 1000)], CLIENTS);
    expect(log.statusChanges[0]?.observations).toEqual([]);
    expect(latestSummary(log, 2000)).toBeUndefined();
  });

  it("ignores clients that aren't on the page and clients that were never online", () => {
    expect(withChanges(EMPTY_LOG, "anouk", [online("kenji", 5, 6), offline("omar", 0)], CLIENTS)).toBe(EMPTY_LOG);
  });
});

describe("latestSummary", () => {
  const closed = withAction(EMPTY_LOG, { kind: "close", client: "omar", atMs: 1000 });

  it("returns a change with its cause", () => {
    const log = withChanges(closed, "anouk", [offline("omar", 8000, 8004)], CLIENTS);
    expect(latestSummary(log, 9000)).toMatchObject({ kind: "change", cause: { kind: "close" } });
  });

  it("returns no cause if the last action doesn't explain the change", () => {
    const log = withChanges(closed, "anouk", [online("omar", 8000, 8004)], CLIENTS);
    expect(latestSummary(log, 9000)).toMatchObject({ kind: "change", cause: undefined });
  });

  it("returns a reload without a status change after the settling time", () => {
    const log = withAction(EMPTY_LOG, { kind: "reload", client: "omar", atMs: 1000 });
    expect(latestSummary(log, 5000)).toBeUndefined();
    expect(latestSummary(log, 10_000)).toMatchObject({ kind: "unnoticed-reload" });
    const flapped = withChanges(log, "anouk", [offline("omar", 8000, 8003)], CLIENTS);
    expect(latestSummary(flapped, 12_000)).toMatchObject({ kind: "change", cause: { kind: "reload" } });
  });
});

it("returns the periods in which a client was online", () => {
  const log = withChanges(
    EMPTY_LOG,
    "anouk",
    [online("omar", 10), offline("omar", 20), online("omar", 30), online("magali", 15)],
    CLIENTS,
  );
  expect(onlinePeriods(log, "omar")).toEqual([
    { startMs: 10, endMs: 20 },
    { startMs: 30, endMs: undefined },
  ]);
});
