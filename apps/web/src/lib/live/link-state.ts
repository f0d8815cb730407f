/**
 * The states of a link to the server, and what leads from one to the next. Pure: the time, the dice and the server's
 * wishes are arguments; `link.ts` owns the stream and the timers.
 */
import { backOffMs } from "./back-off.ts";

export type LinkState =
  /** nobody wants anything */
  | { kind: "idle" }
  /**
   * a stream is being opened; `failures` attempts in a row have failed before this one, the last because the server was
   * full where `isFull`
   */
  | { kind: "opening"; failures: number; isFull: boolean }
  | { kind: "live" }
  /** the next attempt is due at `retryAtMs` */
  | { kind: "waiting"; failures: number; isFull: boolean; retryAtMs: number };

export type LinkEvent =
  | { kind: "wanted" }
  | { kind: "unwanted" }
  | { kind: "opened" }
  /** the server closed the stream in good order */
  | { kind: "ended" }
  /** an attempt failed, or a stream broke; the server may have said how long to stay away, and that it is full */
  | { kind: "failed"; retryAfterMs?: number | undefined; isFull?: boolean | undefined }
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
      return state.kind === "idle" ? { kind: "opening", failures: 0, isFull: false } : state;
    case "unwanted":
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
    case "due":
      return state.kind === "waiting" ? { kind: "opening", failures: state.failures, isFull: state.isFull } : state;
  }
}

/** How a server refused, where it did. */
interface Refusal {
  retryAfterMs?: number | undefined;
  isFull?: boolean | undefined;
}

function failed(state: LinkState, { retryAfterMs = 0, isFull = false }: Refusal, context: LinkContext): LinkState {
  if (state.kind !== "live" && state.kind !== "opening") return state;
  const failures = (state.kind === "opening" ? state.failures : 0) + 1;
  const backOff = backOffMs(failures, context.retryMs, context.random);
  return { kind: "waiting", failures, isFull, retryAtMs: context.nowMs + retryAfterMs + backOff };
}
