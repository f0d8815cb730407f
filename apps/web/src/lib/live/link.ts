/** The browser's connection to the server: it opens the stream, pings, detects a dead connection and reconnects. */
import type { ClientId } from "@presence/protocol";
import { ping } from "../api/api.ts";
import { isServerFull, ProblemError } from "../api/problem-error.ts";
import type { ChannelMessage } from "./demultiplexer.ts";
import {
  DEFAULT_HEARTBEAT_INTERVAL_MS,
  type EventStream,
  openEventStream,
  type StreamSubscription,
} from "./event-stream.ts";
import { type LinkEvent, type LinkState, nextLinkState } from "./link-state.ts";
import type { Network } from "./network.ts";

export interface LinkOptions {
  network: Network;
  /** Whether any client needs a stream now. */
  isNeeded(): boolean;
  /**
   * Called once per attempt: creates missing sessions and returns the streams to request. Rejects if the server can't be
   * reached.
   */
  prepareSubscriptions(): Promise<StreamSubscription[]>;
  /** A token of one of `clients`, used for pings. */
  tokenOf(clients: ReadonlySet<ClientId>): string | undefined;
  /** Whether the server of the live stream can't read presence. */
  isStale(): boolean;
  onMessage(subscription: StreamSubscription, message: ChannelMessage): void;
  /** Called when the state or the clients on the stream have changed. */
  onChange(): void;
}

export interface Link {
  state(): LinkState;
  /** The live stream, or `undefined`. */
  stream(): EventStream | undefined;
  /** When the server last sent something, ms since the epoch. */
  lastHeardAtMs(): number | undefined;
  /**
   * The clients or their sessions have changed: opens, replaces or closes the stream, `delayMs` from now or earlier. A
   * replacement opens the new stream before it closes the old one.
   */
  refresh(delayMs?: number): void;
  /** Connects now if it is waiting; pings the server now if it is live. */
  checkNow(): void;
  /** Closes the stream and stops reconnecting. */
  stop(): void;
}

/** The ping interval in heartbeat intervals. The server gives up after 1.3, so one ping may be lost. */
const PING_INTERVALS = 0.5;
const MIN_PING_TIMEOUT_MS = 2_000;
/**
 * How long the server may take to answer the request for a stream: one heartbeat interval, within these limits. Without an
 * earlier stream the interval is unknown, and the upper limit is used.
 */
const OPEN_TIMEOUT_MS = { min: 2_000, max: 10_000 };
const TICK_MS = 1000;
/** The server sends a keep-alive at least every 15 s. */
const SILENCE_LIMIT_MS = 25_000;
/** If a tick is this late, the machine was asleep. */
const SLEEP_GAP_MS = 5000;
const PROBE_TIMEOUT_MS = 3000;
const MISSED_PINGS_LIMIT = 2;
/**
 * While the stream is stale, a new one is tried after a random time of this range, in heartbeat intervals: another server
 * may be able to read presence.
 */
const MOVE_INTERVALS = { min: 1, max: 2 };
/** Combines a burst of changes, such as many restored tabs, into one request. */
const REFRESH_DELAY_MS = 25;
/** Used until the server sends `retry:`. */
const INITIAL_RETRY_MS = 1000;

export function startLink(options: LinkOptions): Link {
  const { network } = options;
  let state: LinkState = { kind: "idle" };
  let stream: EventStream | undefined;
  let attempt: AbortController | undefined;
  let isRefreshPending = false;
  let retryMs = INITIAL_RETRY_MS;
  let heartbeatIntervalMs = DEFAULT_HEARTBEAT_INTERVAL_MS;
  let openTimeoutMs = OPEN_TIMEOUT_MS.max;
  let missedPings = 0;
  let lastHeardAtMs: number | undefined;
  let moveAtMs: number | undefined;
  let lastTickAtMs = Date.now();
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let refreshTimer: ReturnType<typeof setTimeout> | undefined;
  let refreshDueAtMs = 0;
  let pingTimer: ReturnType<typeof setInterval> | undefined;

  function apply(event: LinkEvent): void {
    const before = state;
    state = nextLinkState(before, event, { nowMs: Date.now(), random: Math.random(), retryMs, heartbeatIntervalMs });
    if (state === before) return;
    clearTimeout(retryTimer);
    if (state.kind !== "live") replaceStream(undefined);
    if (state.kind === "idle") attempt?.abort();
    if (state.kind === "waiting") retryTimer = setTimeout(() => apply({ kind: "retry" }), state.retryAtMs - Date.now());
    if (state.kind === "opening") void open();
    options.onChange();
  }

  /** Makes `next` the current stream and closes the previous one. */
  function replaceStream(next: EventStream | undefined): void {
    const previous = stream;
    stream = next;
    clearInterval(pingTimer);
    missedPings = 0;
    if (previous !== undefined) lastHeardAtMs = Math.max(lastHeardAtMs ?? 0, previous.lastBytesAtMs());
    previous?.close();
    if (next !== undefined)
      pingTimer = setInterval(() => void pingStream(next), next.heartbeatIntervalMs * PING_INTERVALS);
  }

  /**
   * Opens a stream for all active clients. Only one attempt runs at a time; later changes wait for the next one.
   *
   * @param isOptional whether an attempt that fails is not repeated, if there is a live stream
   */
  async function open({ isOptional = false } = {}): Promise<void> {
    if (attempt !== undefined) {
      isRefreshPending = true;
      return;
    }
    isRefreshPending = false;
    attempt = new AbortController();
    const { signal } = attempt;
    try {
      const subscriptions = await options.prepareSubscriptions();
      const next = subscriptions.length === 0 || signal.aborted ? undefined : await openStream(subscriptions, signal);
      attempt = undefined;
      if (next === undefined) onNothingToOpen();
      else if (signal.aborted) next.close();
      else onOpened(next);
    } catch (error) {
      attempt = undefined;
      if (!signal.aborted) onOpenFailed(error, isOptional);
    }
    if (isRefreshPending) refresh();
  }

  async function openStream(subscriptions: StreamSubscription[], signal: AbortSignal): Promise<EventStream> {
    const opening = { signal, timeoutMs: openTimeoutMs };
    const next: EventStream = await openEventStream(network.send, subscriptions, opening, {
      onMessage: options.onMessage,
      onRetry(serverRetryMs) {
        retryMs = serverRetryMs;
      },
      onEnd(outcome) {
        if (next === stream) apply({ kind: outcome });
      },
    });
    return next;
  }

  function onOpened(next: EventStream): void {
    heartbeatIntervalMs = next.heartbeatIntervalMs;
    openTimeoutMs = Math.min(OPEN_TIMEOUT_MS.max, Math.max(OPEN_TIMEOUT_MS.min, heartbeatIntervalMs));
    replaceStream(next);
    if (state.kind === "live") options.onChange();
    else apply({ kind: "opened" });
  }

  /** Called when no client is left to open a stream for, because the server refused their sessions. */
  function onNothingToOpen(): void {
    if (!options.isNeeded()) apply({ kind: "stop" });
    else if (state.kind === "opening") apply({ kind: "failed" });
  }

  function onOpenFailed(error: unknown, isOptional: boolean): void {
    const refusal = error instanceof ProblemError ? error : undefined;
    const retryAfterMs = refusal?.retryAfterMs;
    if (state.kind === "live") {
      if (!isOptional) refresh(retryMs + (retryAfterMs ?? 0));
    } else apply({ kind: "failed", retryAfterMs, isFull: refusal !== undefined && isServerFull(refusal.problem) });
  }

  function refresh(delayMs = REFRESH_DELAY_MS): void {
    const dueAtMs = Date.now() + delayMs;
    if (refreshTimer !== undefined && refreshDueAtMs <= dueAtMs) return;
    clearTimeout(refreshTimer);
    refreshDueAtMs = dueAtMs;
    refreshTimer = setTimeout(() => {
      refreshTimer = undefined;
      void reopen();
    }, delayMs);
  }

  async function reopen(): Promise<void> {
    if (!options.isNeeded()) apply({ kind: "stop" });
    else if (state.kind === "idle") apply({ kind: "start" });
    else if (state.kind !== "waiting") await open();
  }

  async function pingStream(target: EventStream): Promise<void> {
    const outcome = await tryPing(target, Math.max(MIN_PING_TIMEOUT_MS, target.heartbeatIntervalMs * PING_INTERVALS));
    if (target !== stream) return;
    missedPings = outcome === "unanswered" ? missedPings + 1 : 0;
    if (outcome === "unknown" || missedPings >= MISSED_PINGS_LIMIT) apply({ kind: "dead" });
  }

  async function probe(target: EventStream): Promise<void> {
    const outcome = await tryPing(target, PROBE_TIMEOUT_MS);
    if (target === stream && outcome !== "answered") apply({ kind: "dead" });
  }

  /** `answered`: the server knows this connection; `unknown`: it doesn't; `unanswered`: the server was not reached. */
  async function tryPing(target: EventStream, timeoutMs: number): Promise<"answered" | "unknown" | "unanswered"> {
    const token = options.tokenOf(target.clients);
    if (token === undefined) return "answered";
    try {
      await ping(network.send, target.connection, token, timeoutMs);
      lastHeardAtMs = Date.now();
      return "answered";
    } catch (error) {
      const isRefusal = error instanceof ProblemError && error.problem.status < 500 && !isServerFull(error.problem);
      return isRefusal ? "unknown" : "unanswered";
    }
  }

  /** While the stream is stale, tries to replace it by one that is not. */
  function tryToMove(nowMs: number): void {
    if (stream === undefined || !options.isStale()) {
      moveAtMs = undefined;
      return;
    }
    if (moveAtMs !== undefined && nowMs < moveAtMs) return;
    if (moveAtMs !== undefined && attempt === undefined) void open({ isOptional: true });
    const intervals = MOVE_INTERVALS.min + Math.random() * (MOVE_INTERVALS.max - MOVE_INTERVALS.min);
    moveAtMs = nowMs + intervals * heartbeatIntervalMs;
  }

  function checkNow(): void {
    if (state.kind === "waiting") apply({ kind: "retry" });
    else if (stream !== undefined) void probe(stream);
  }

  const ticking = setInterval(() => {
    const nowMs = Date.now();
    const slept = nowMs - lastTickAtMs > SLEEP_GAP_MS;
    lastTickAtMs = nowMs;
    if (stream !== undefined && nowMs - stream.lastBytesAtMs() > SILENCE_LIMIT_MS) apply({ kind: "dead" });
    else if (slept) checkNow();
    tryToMove(nowMs);
  }, TICK_MS);

  return {
    state: () => state,
    stream: () => stream,
    lastHeardAtMs: () => (stream === undefined ? lastHeardAtMs : Math.max(lastHeardAtMs ?? 0, stream.lastBytesAtMs())),
    refresh,
    checkNow,
    stop() {
      clearInterval(ticking);
      clearTimeout(refreshTimer);
      apply({ kind: "stop" });
    },
  };
}
