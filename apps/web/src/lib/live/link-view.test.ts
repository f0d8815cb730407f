import { describe, expect, it } from "vitest";
import { viewWithoutStream } from "./link-view.ts";

const ONLINE = { isOnline: true, hasSnapshot: false };
const waiting = { kind: "waiting", failures: 1, isFull: false, retryAtMs: 12_000 } as const;
const opening = { kind: "opening", failures: 1, isFull: false } as const;

describe("viewWithoutStream", () => {
  it("distinguishes the first attempt from a later one", () => {
    expect(viewWithoutStream(opening, ONLINE)).toEqual({ kind: "connecting" });
    expect(viewWithoutStream(opening, { ...ONLINE, hasSnapshot: true })).toEqual({ kind: "retrying" });
    expect(viewWithoutStream(waiting, ONLINE)).toEqual({ kind: "waiting", retryAtMs: 12_000 });
  });

  it("shows that the server is full, also during the next attempt", () => {
    expect(viewWithoutStream({ ...waiting, isFull: true }, ONLINE)).toEqual({ kind: "full", retryAtMs: 12_000 });
    expect(viewWithoutStream({ ...opening, isFull: true }, ONLINE)).toEqual({ kind: "full" });
  });

  it("shows offline before any other reason", () => {
    const away = { ...ONLINE, isOnline: false };
    expect(viewWithoutStream({ ...waiting, isFull: true }, away)).toEqual({ kind: "offline", retryAtMs: 12_000 });
    expect(viewWithoutStream(opening, away)).toEqual({ kind: "offline" });
  });
});
