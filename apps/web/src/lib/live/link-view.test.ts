import { describe, expect, it } from "vitest";
import { viewWithoutStream } from "./link-view.ts";

const AT_HOME = { isOnline: true, hasPicture: false };
const waiting = { kind: "waiting", failures: 1, isFull: false, retryAtMs: 12_000 } as const;
const opening = { kind: "opening", failures: 1, isFull: false } as const;

describe("viewWithoutStream", () => {
  it("tells a first attempt from a further one", () => {
    expect(viewWithoutStream(opening, AT_HOME)).toEqual({ kind: "connecting" });
    expect(viewWithoutStream(opening, { ...AT_HOME, hasPicture: true })).toEqual({ kind: "retrying" });
    expect(viewWithoutStream(waiting, AT_HOME)).toEqual({ kind: "waiting", retryAtMs: 12_000 });
  });

  it("says that the server is full until it is no longer, also while it asks again", () => {
    expect(viewWithoutStream({ ...waiting, isFull: true }, AT_HOME)).toEqual({ kind: "full", retryAtMs: 12_000 });
    expect(viewWithoutStream({ ...opening, isFull: true }, AT_HOME)).toEqual({ kind: "full" });
  });

  it("blames the network first, where there is none", () => {
    const away = { ...AT_HOME, isOnline: false };
    expect(viewWithoutStream({ ...waiting, isFull: true }, away)).toEqual({ kind: "offline", retryAtMs: 12_000 });
    expect(viewWithoutStream(opening, away)).toEqual({ kind: "offline" });
  });
});
