import { describe, expect, it } from "vitest";
import { EMPTY_LOG, latestStory, onlineStretches, withPress, withSightings } from "./demo-log.ts";

const CAST = ["anouk", "magali", "omar"];
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

describe("withSightings", () => {
  it("gathers what several viewers saw of one change", () => {
    let log = withSightings(EMPTY_LOG, "anouk", [offline("omar", 1000, 1003)], CAST);
    log = withSightings(log, "magali", [offline("omar", 1000, 1005)], CAST);
    log = withSightings(log, "magali", [offline("omar", 1000, 9999)], CAST);
    expect(log.happenings).toEqual([
      {
        key: "omar OFFLINE 1000",
        subject: "omar",
        status: "OFFLINE",
        atMs: 1000,
        seen: [
          { viewer: "anouk", atMs: 1003, delayMs: 3 },
          { viewer: "magali", atMs: 1005, delayMs: 5 },
        ],
      },
    ]);
  });

  it("knows of a change from a snapshot, without anyone having seen it happen", () => {
    const log = withSightings(EMPTY_LOG, "anouk", [online("omar", 1000)], CAST);
    expect(log.happenings[0]?.seen).toEqual([]);
    expect(latestStory(log, 2000)).toBeUndefined();
  });

  it("leaves out who isn't on the page and who was never seen", () => {
    expect(withSightings(EMPTY_LOG, "anouk", [online("kenji", 5, 6), offline("omar", 0)], CAST)).toBe(EMPTY_LOG);
  });
});

describe("latestStory", () => {
  const closed = withPress(EMPTY_LOG, { kind: "close", client: "omar", atMs: 1000 });

  it("tells a change with its cause", () => {
    const log = withSightings(closed, "anouk", [offline("omar", 8000, 8004)], CAST);
    expect(latestStory(log, 9000)).toMatchObject({ kind: "change", cause: { kind: "close" } });
  });

  it("makes no cause up", () => {
    const log = withSightings(closed, "anouk", [online("omar", 8000, 8004)], CAST);
    expect(latestStory(log, 9000)).toMatchObject({ kind: "change", cause: undefined });
  });

  it("tells of a reload that nobody noticed, once that is certain", () => {
    const log = withPress(EMPTY_LOG, { kind: "reload", client: "omar", atMs: 1000 });
    expect(latestStory(log, 5000)).toBeUndefined();
    expect(latestStory(log, 10_000)).toMatchObject({ kind: "calm" });
    const flapped = withSightings(log, "anouk", [offline("omar", 8000, 8003)], CAST);
    expect(latestStory(flapped, 12_000)).toMatchObject({ kind: "change", cause: { kind: "reload" } });
  });
});

it("draws when somebody was online", () => {
  const log = withSightings(
    EMPTY_LOG,
    "anouk",
    [online("omar", 10), offline("omar", 20), online("omar", 30), online("magali", 15)],
    CAST,
  );
  expect(onlineStretches(log, "omar")).toEqual([
    { startMs: 10, endMs: 20 },
    { startMs: 30, endMs: undefined },
  ]);
});
