import { describe, expect, it } from "vitest";
import { type LinkEvent, type LinkState, nextLinkState } from "./link-state.ts";

const context = { nowMs: 1_000_000, random: 0.5, retryMs: 2000 };

function run(state: LinkState, ...events: LinkEvent[]): LinkState {
  return events.reduce((current, event) => nextLinkState(current, event, context), state);
}

const idle: LinkState = { kind: "idle" };
const live: LinkState = { kind: "live" };

describe("nextLinkState", () => {
  it("opens when wanted, and rests when not", () => {
    expect(run(idle, { kind: "wanted" })).toEqual({ kind: "opening", failures: 0, isFull: false });
    expect(run(idle, { kind: "wanted" }, { kind: "opened" })).toEqual(live);
    expect(run(live, { kind: "unwanted" })).toEqual(idle);
  });

  it("waits what the server asked for when the server ended the stream", () => {
    expect(run(live, { kind: "ended" })).toEqual({ kind: "waiting", failures: 0, isFull: false, retryAtMs: 1_002_000 });
  });

  it("backs off further with each failure, and remembers that it once was live", () => {
    const first = run(live, { kind: "failed" });
    expect(first).toEqual({ kind: "waiting", failures: 1, isFull: false, retryAtMs: 1_001_000 });
    const second = run(first, { kind: "due" }, { kind: "failed" });
    expect(second).toEqual({ kind: "waiting", failures: 2, isFull: false, retryAtMs: 1_002_000 });
  });

  it("stays away for as long as the server says, and a random while more", () => {
    const state = run(idle, { kind: "wanted" }, { kind: "failed", retryAfterMs: 5000 });
    expect(state).toEqual({ kind: "waiting", failures: 1, isFull: false, retryAtMs: 1_006_000 });
  });

  it("knows that the server is full until it is let in, or is told otherwise", () => {
    const full: LinkEvent = { kind: "failed", retryAfterMs: 5000, isFull: true };
    const waiting = run(idle, { kind: "wanted" }, full);
    expect(waiting).toMatchObject({ kind: "waiting", isFull: true });
    expect(run(waiting, { kind: "due" })).toMatchObject({ kind: "opening", isFull: true });
    expect(run(waiting, { kind: "due" }, { kind: "failed" })).toMatchObject({ kind: "waiting", isFull: false });
    expect(run(waiting, { kind: "due" }, { kind: "opened" })).toEqual(live);
  });

  it("tries at once when the stream is known to be dead", () => {
    expect(run(live, { kind: "dead" })).toEqual({ kind: "opening", failures: 0, isFull: false });
  });

  it("takes a stream that opened in spite of all", () => {
    expect(run(live, { kind: "failed" }, { kind: "opened" })).toEqual(live);
  });

  it("doesn't spin when a new stream dies at once again and again", () => {
    expect(run(live, { kind: "dead" }, { kind: "dead" }).kind).toBe("waiting");
  });

  it("forgets its failures once live", () => {
    const state = run(live, { kind: "failed" }, { kind: "due" }, { kind: "opened" }, { kind: "failed" });
    expect(state).toMatchObject({ failures: 1 });
  });

  it("treats an answer that ends before it began as a failure", () => {
    expect(run(idle, { kind: "wanted" }, { kind: "ended" })).toMatchObject({ kind: "waiting", failures: 1 });
  });

  it.each<[LinkState, LinkEvent]>([
    [idle, { kind: "due" }],
    [idle, { kind: "failed" }],
    [idle, { kind: "opened" }],
    [live, { kind: "wanted" }],
    [live, { kind: "due" }],
  ])("%j ignores %j", (state, event) => {
    expect(nextLinkState(state, event, context)).toBe(state);
  });
});
