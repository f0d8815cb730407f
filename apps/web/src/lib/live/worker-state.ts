/**
 * The state machine of a page's worker: whether it answers, and when and how to start another one. It is pure: time and
 * random numbers are arguments. `live-client.ts` owns the worker and the timers.
 */
import { backOffMs } from "@presence/protocol";

/** Which worker to connect to. */
export interface WorkerChoice {
  /** `shared`: one for all pages of this browser; `dedicated`: one for this page alone */
  kind: "shared" | "dedicated";
  /**
   * A part of the shared worker's name. A page can't end a shared worker that no longer answers, and gets the same one
   * again under the same name. Each page counts from 0, so that all pages choose the same name.
   */
  generation: number;
}

export type WorkerState =
  /** this page needs no worker */
  | { kind: "stopped" }
  /** a worker was started, but hasn't sent anything; `failures` is the number of failed workers in a row before it */
  | { kind: "starting"; choice: WorkerChoice; failures: number; silentTicks: number }
  /** the worker answers; `silentTicks` is the number of ticks since its last message */
  | { kind: "running"; choice: WorkerChoice; failures: number; silentTicks: number; sinceMs: number }
  /** the worker is gone; `choice` is started at `retryAtMs` */
  | { kind: "waiting"; choice: WorkerChoice; failures: number; retryAtMs: number };

export type WorkerEvent =
  | { kind: "start" }
  | { kind: "stop" }
  /** the worker sent a message */
  | { kind: "heard" }
  /**
   * The page's timer fired, `TICK_MS` or more after the last time. Silence is measured in ticks: a page that is suspended
   * or throttled ticks less, so a delay of the page isn't taken for a silent worker.
   */
  | { kind: "tick" }
  /** the worker has ended: its lock was released */
  | { kind: "ended" }
  /** the worker couldn't be loaded */
  | { kind: "failed" }
  /** the wait is over, or an attempt is worthwhile now */
  | { kind: "retry" };

export interface WorkerContext {
  nowMs: number;
  /** in [0, 1) */
  random: number;
  /** Whether this page may use a shared worker. */
  canShare: boolean;
}

/** A page pings its worker, and measures its silence, once per tick. */
export const TICK_MS = 2_000;
/** A worker that doesn't answer for so many ticks is given up. The last ping is then unanswered for two ticks. */
const SILENT_TICKS_LIMIT = 3;
/** The limit for the first answer. It grows with each failure, because a slow network delays the worker's script. */
const START_TICKS_LIMIT = 2;
const MAX_START_TICKS_LIMIT = 10;
/** The browser needs a moment to remove a shared worker that has ended. */
const RESTART_DELAY_MS = 50;
const RETRY_BASE_MS = 500;
const MAX_RETRY_MS = 5_000;
/** A worker that ends sooner than this counts as a failure. */
const STABLE_MS = 10_000;
/** After so many failures, dedicated workers are tried too. */
const SHARED_ATTEMPTS = 2;

/** Returns the state after `event`. If the event doesn't apply to `state`, it returns the same object. */
export function nextWorkerState(state: WorkerState, event: WorkerEvent, context: WorkerContext): WorkerState {
  switch (event.kind) {
    case "start":
      if (state.kind !== "stopped") return state;
      return { kind: "starting", choice: choose(0, 0, context), failures: 0, silentTicks: 0 };
    case "stop":
      return state.kind === "stopped" ? state : { kind: "stopped" };
    case "heard":
      return heard(state, context);
    case "tick":
      return tick(state, context);
    case "ended":
      return lost(state, "ended", context);
    case "failed":
      // A running worker also reports uncaught exceptions, which don't end it.
      return state.kind === "starting" ? lost(state, "failed", context) : state;
    case "retry":
      if (state.kind !== "waiting") return state;
      return { kind: "starting", choice: state.choice, failures: state.failures, silentTicks: 0 };
  }
}

function heard(state: WorkerState, { nowMs }: WorkerContext): WorkerState {
  if (state.kind === "starting") {
    const { choice, failures } = state;
    return { kind: "running", choice, failures, silentTicks: 0, sinceMs: nowMs };
  }
  return state.kind === "running" && state.silentTicks > 0 ? { ...state, silentTicks: 0 } : state;
}

function tick(state: WorkerState, context: WorkerContext): WorkerState {
  if (state.kind !== "starting" && state.kind !== "running") return state;
  const silentTicks = state.silentTicks + 1;
  const limit =
    state.kind === "running"
      ? SILENT_TICKS_LIMIT
      : Math.min(MAX_START_TICKS_LIMIT, START_TICKS_LIMIT * (state.failures + 1));
  return silentTicks >= limit ? lost(state, "silent", context) : { ...state, silentTicks };
}

function lost(state: WorkerState, cause: "ended" | "failed" | "silent", context: WorkerContext): WorkerState {
  if (state.kind !== "starting" && state.kind !== "running") return state;
  const wasStable = state.kind === "running" && context.nowMs - state.sinceMs >= STABLE_MS;
  const failures = wasStable ? 0 : state.failures + 1;
  // A worker that is silent from the start may be one that the browser is removing, so its name is tried once more.
  const isStuck = cause === "silent" && (state.kind === "running" || state.failures > 0);
  const delayMs = failures === 0 ? RESTART_DELAY_MS : backOffMs(failures, RETRY_BASE_MS, MAX_RETRY_MS, context.random);
  return {
    kind: "waiting",
    choice: choose(state.choice.generation + (isStuck ? 1 : 0), failures, context),
    failures,
    retryAtMs: context.nowMs + delayMs,
  };
}

/** Shared and dedicated workers alternate after `SHARED_ATTEMPTS` failures, because the cause may concern only one kind. */
function choose(generation: number, failures: number, { canShare }: WorkerContext): WorkerChoice {
  const isDedicatedNext = failures >= SHARED_ATTEMPTS && (failures - SHARED_ATTEMPTS) % 2 === 0;
  return { kind: canShare && !isDedicatedNext ? "shared" : "dedicated", generation };
}
