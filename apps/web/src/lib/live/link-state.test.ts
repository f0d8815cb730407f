import { describe, expect, it } from "vitest";
import { type LinkEvent, type LinkState, nextLinkState } from "./link-state.ts";

const context = { nowMs: 1_000_000, random: 0.5, retryMs: 2000, heartbeatIntervalMs: 20_000 };

function run(state: LinkState, ...events: LinkEvent[]): LinkState {
  return events.reduce((current, event) => nextLinkState(current, event, context), state);
}

const idle: LinkState = { kind: "idle" };
const live: LinkState = { kind: "live" };

describe("nextLinkState", () => {
  it("opens on start and becomes idle on stop", () => {
    expect(run(idle, { kind: "start" })).toEqual({ kind: "opening", failures: 0, isFull: false });
    expect(run(idle, { kind: "start" }, { kind: "opened" })).toEqual(live);
    expect(run(live, { kind: "stop" })).toEqual(idle);
  });

  it("waits for the server's retry time after the server ended the stream", () => {
    expect(run(live, { kind: "ended" })).toEqual({ kind: "waiting", failures: 0, isFull: false, retryAtMs: 1_002_000 });
  });

  it("increases the back-off with each failure", () => {
    const first = run(live, { kind: "failed" });
    expect(first).toEqual({ kind: "waiting", failures: 1, isFull: false, retryAtMs: 1_001_000 });
    const second = run(first, { kind: "retry" }, { kind: "failed" });
    expect(second).toEqual({ kind: "waiting", failures: 2, isFull: false, retryAtMs: 1_002_000 });
  });

  it("waits for the Retry-After time plus a random back-off", () => {
    const state = run(idle, { kind: "start" }, { kind: "failed", retryAfterMs: 5000 });
    expect(state).toEqual({ kind: "waiting", failures: 1, isFull: false, retryAtMs: 1_006_000 });
  });

  it("waits at most half a heartbeat interval, however many attempts have failed, unless the server is full", () => {
    const opening: LinkState = { kind: "opening", failures: 20, isFull: false };
    const longest = { ...context, random: 0.999_999, heartbeatIntervalMs: 5_000 };
    const waitMs = (event: LinkEvent) => {
      const state = nextLinkState(opening, event, longest);
      return state.kind === "waiting" ? state.retryAtMs - longest.nowMs : undefined;
    };
    expect(waitMs({ kind: "failed" })).toBe(2_500);
    expect(waitMs({ kind: "failed", isFull: true })).toBe(10_000);
  });

  it("keeps isFull until the stream opens or an attempt fails for another reason", () => {
    const full: LinkEvent = { kind: "failed", retryAfterMs: 5000, isFull: true };
    const waiting = run(idle, { kind: "start" }, full);
    expect(waiting).toMatchObject({ kind: "waiting", isFull: true });
    expect(run(waiting, { kind: "retry" })).toMatchObject({ kind: "opening", isFull: true });
    expect(run(waiting, { kind: "retry" }, { kind: "failed" })).toMatchObject({ kind: "waiting", isFull: false });
    expect(run(waiting, { kind: "retry" }, { kind: "opened" })).toEqual(live);
  });

  it("reconnects immediately when the stream is dead", () => {
    expect(run(live, { kind: "dead" })).toEqual({ kind: "opening", failures: 0, isFull: false });
  });

  it("becomes live when a stream opens while waiting", () => {
    expect(run(live, { kind: "failed" }, { kind: "opened" })).toEqual(live);
  });

  it("backs off when a new stream dies immediately", () => {
    expect(run(live, { kind: "dead" }, { kind: "dead" }).kind).toBe("waiting");
  });

  it("resets the failures once live", () => {
    const state = run(live, { kind: "failed" }, { kind: "retry" }, { kind: "opened" }, { kind: "failed" });
    expect(state).toMatchObject({ failures: 1 });
  });

  it("treats a stream that ends before it opened as a failure", () => {
    expect(run(idle, { kind: "start" }, { kind: "ended" })).toMatchObject({ kind: "waiting", failures: 1 });
  });

  it.each<[LinkState, LinkEvent]>([
    [idle, { kind: "retry" }],
    [idle, { kind: "failed" }],
    [idle, { kind: "opened" }],
    [live, { kind: "start" }],
    [live, { kind: "retry" }],
  ])("%j ignores %j", (state, event) => {
    expect(nextLinkState(state, event, context)).toBe(state);
  });
});
