import { describe, expect, it } from "vitest";
import type { DownstreamEvent } from "./downstream-entry.ts";
import { DownstreamPosition } from "./downstream-position.ts";

const EPOCH = "e";

describe("DownstreamPosition", () => {
  it("accepts consecutive entries and skips repeated ones", () => {
    const position = startAt({ sequence: 3, version: 100 });
    const { events, hasGap } = position.accept([entry(3, 100), entry(4, 101), entry(4, 101), entry(5, 102)]);
    expect(events.map(({ version }) => version)).toEqual([101, 102]);
    expect(hasGap).toBe(false);
    expect(position.sequence).toBe(5);
  });

  it("stops at a missing entry", () => {
    const position = startAt({ sequence: 3, version: 100 });
    const { events, hasGap } = position.accept([entry(4, 101), entry(6, 103)]);
    expect(events.map(({ version }) => version)).toEqual([101]);
    expect(hasGap).toBe(true);
  });

  it("reports a gap for an entry of another epoch", () => {
    const position = startAt({ sequence: 3, version: 100 });
    expect(position.accept([{ ...entry(4, 101), epoch: "other" }])).toEqual({ events: [], hasGap: true });
  });

  it("skips entries that the snapshot contains, in any epoch", () => {
    const position = startAt({ sequence: 3, version: 100 });
    position.reset(reply({ sequence: 9, version: 200 }));
    const { events, hasGap } = position.accept([{ ...entry(4, 150), epoch: "other" }, entry(10, 201)]);
    expect(events.map(({ version }) => version)).toEqual([201]);
    expect(hasGap).toBe(false);
  });

  it("advances its head within its epoch only", () => {
    const position = startAt({ sequence: 3, version: 100 });
    position.advance({ epoch: EPOCH, version: 150 });
    position.advance({ epoch: EPOCH, version: 120 });
    position.advance({ epoch: "other", version: 500 });
    expect(position.head).toEqual({ epoch: EPOCH, version: 150 });
  });
});

function startAt(at: { sequence: number; version: number }): DownstreamPosition {
  return new DownstreamPosition(reply(at));
}

function reply({ sequence, version }: { sequence: number; version: number }) {
  return {
    nowMs: 1,
    version: String(version),
    epoch: EPOCH,
    lastGuestOfflineVersion: "0",
    sequence,
    isKnown: true,
    records: new Map(),
    guests: new Map(),
  };
}

function entry(sequence: number, version: number): DownstreamEvent {
  return {
    client: "anouk",
    status: "ONLINE",
    at: 1,
    reason: "connected",
    guest: false,
    epoch: EPOCH,
    sequence,
    version,
  };
}
