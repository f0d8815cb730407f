/**
 * The states of a link to the server, and what leads from one to the next. Pure: the time, the dice and the server's
 * wishes are arguments; `link.ts` owns the stream and the timers.
 */
import { backOffMs } from "./back-off.ts";

export type LinkState =
  /** nobody wants anything */
  | { kind: "idle" }
  /** a stream is being opened; `failures` attempts in a row have failed before this one */
  | { kind: "opening"; failures: number; wasLive: boolean }
  | { kind: "live" }
  /** the next attempt is due at `retryAtMs` */
  | { kind: "waiting"; failures: number; wasLive: boolean; retryAtMs: number };

export type LinkEvent =
  | { kind: "wanted" }
  | { kind: "unwanted" }
  | { kind: "opened" }
  /** the server closed the stream in good order */
  | { kind: "ended" }
  /** an attempt failed, or a stream broke; the server may have said how long to stay away */
  | { kind: "failed"; retryAfterMs?: number | undefined }
  /** the stream is dead for certain, and the server is worth an attempt at once */
  | { kind: "dead" }
  /** the wait is over, or somebody is impatient: the page became visible, the network came back, 'try now' */
  | { kind: "due" };

export interface LinkContext {
  nowMs: number;
  /** in [0, 1) */
  random: number;
  /** The `retry:` of the last stream: what the server wants us to wait after a stream has ended. */
  retryMs: number;
}

/** The state after `event`. An event that means nothing in `state` leaves it as it is (the same object). */
export function nextLinkState(state: LinkState, event: LinkEvent, context: LinkContext): LinkState {
  switch (event.kind) {
    case "wanted":
      return state.kind === "idle" ? { kind: "opening", failures: 0, wasLive: false } : state;
    case "unwanted":
      return state.kind === "idle" ? state : { kind: "idle" };
    case "opened":
      return state.kind === "idle" || state.kind === "live" ? state : { kind: "live" };
    case "ended":
      return state.kind === "live"
        ? waiting(0, true, context.nowMs + context.retryMs)
        : failed(state, undefined, context);
    case "failed":
      return failed(state, event.retryAfterMs, context);
    case "dead":
      return state.kind === "live"
        ? { kind: "opening", failures: 0, wasLive: true }
        : failed(state, undefined, context);
    case "due":
      return state.kind === "waiting" ? { kind: "opening", failures: state.failures, wasLive: state.wasLive } : state;
  }
}

function failed(state: LinkState, retryAfterMs: number | undefined, context: LinkContext): LinkState {
  if (state.kind !== "live" && state.kind !== "opening") return state;
  const failures = (state.kind === "opening" ? state.failures : 0) + 1;
  const wasLive = state.kind === "live" || state.wasLive;
  const backOff = backOffMs(failures, context.retryMs, context.random);
  return waiting(failures, wasLive, context.nowMs + (retryAfterMs ?? 0) + backOff);
}

function waiting(failures: number, wasLive: boolean, retryAtMs: number): LinkState {
  return { kind: "waiting", failures, wasLive, retryAtMs };
}
