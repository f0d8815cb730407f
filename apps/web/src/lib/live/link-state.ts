/**
 * The state machine of the link to the server. It is pure: time and random numbers are arguments. `link.ts` owns the
 * stream and the timers.
 */
import { backOffMs, maxBackOffMs } from "@presence/protocol";

export type LinkState =
  /** no client needs a stream */
  | { kind: "idle" }
  /**
   * a stream is being opened; `failures` is the number of failed attempts in a row before this one, and `isFull` tells
   * whether the last one failed because the server was full
   */
  | { kind: "opening"; failures: number; isFull: boolean }
  | { kind: "live" }
  /** the next attempt starts at `retryAtMs` */
  | { kind: "waiting"; failures: number; isFull: boolean; retryAtMs: number };

export type LinkEvent =
  | { kind: "start" }
  | { kind: "stop" }
  | { kind: "opened" }
  /** the server closed the stream */
  | { kind: "ended" }
  /** an attempt failed, or a stream broke; `retryAfterMs` and `isFull` are from the server's response */
  | { kind: "failed"; retryAfterMs?: number | undefined; isFull?: boolean | undefined }
  /** the stream is dead; reconnect immediately */
  | { kind: "dead" }
  /** the wait is over, or an attempt is worthwhile now: the page became visible, the network is back, or 'Try now' */
  | { kind: "retry" };

export interface LinkContext {
  nowMs: number;
  /** in [0, 1) */
  random: number;
  /** The `retry:` of the last stream: the server's wait before reconnecting, in ms. */
  retryMs: number;
  /** The server's heartbeat interval, in ms. */
  heartbeatIntervalMs: number;
}

/** Returns the state after `event`. If the event doesn't apply to `state`, it returns the same object. */
export function nextLinkState(state: LinkState, event: LinkEvent, context: LinkContext): LinkState {
  switch (event.kind) {
    case "start":
      return state.kind === "idle" ? { kind: "opening", failures: 0, isFull: false } : state;
    case "stop":
      return state.kind === "idle" ? state : { kind: "idle" };
    case "opened":
      return state.kind === "idle" || state.kind === "live" ? state : { kind: "live" };
    case "ended":
      return state.kind === "live"
        ? { kind: "waiting", failures: 0, isFull: false, retryAtMs: context.nowMs + context.retryMs }
        : failed(state, {}, context);
    case "failed":
      return failed(state, event, context);
    case "dead":
      return state.kind === "live" ? { kind: "opening", failures: 0, isFull: false } : failed(state, {}, context);
    case "retry":
      return state.kind === "waiting" ? { kind: "opening", failures: state.failures, isFull: state.isFull } : state;
  }
}

/** The longest back-off while the server is full, in ms. Shorter ones would add to its load. */
const MAX_FULL_BACK_OFF_MS = 10_000;

/** From the server's error response, if there was one. */
interface Refusal {
  retryAfterMs?: number | undefined;
  isFull?: boolean | undefined;
}

function failed(state: LinkState, { retryAfterMs = 0, isFull = false }: Refusal, context: LinkContext): LinkState {
  if (state.kind !== "live" && state.kind !== "opening") return state;
  const failures = (state.kind === "opening" ? state.failures : 0) + 1;
  const capMs = isFull ? MAX_FULL_BACK_OFF_MS : maxBackOffMs(context.heartbeatIntervalMs);
  const backOff = backOffMs(failures, context.retryMs, capMs, context.random);
  return { kind: "waiting", failures, isFull, retryAtMs: context.nowMs + retryAfterMs + backOff };
}
