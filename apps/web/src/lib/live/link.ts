/** The one connection to the server, and everything that keeps it alive: opening, pinging, watching, coming back. */
import type { ClientId } from "@presence/protocol";
import { ping } from "../api/api.ts";
import { ProblemError, saysFull } from "../api/problem-error.ts";
import type { ChannelMessage } from "./demultiplexer.ts";
import { type EventStream, openEventStream, type StreamOrder } from "./event-stream.ts";
import { type LinkEvent, type LinkState, nextLinkState } from "./link-state.ts";
import type { Network } from "./network.ts";

export interface LinkOptions {
  network: Network;
  /** Whether anybody wants a stream at this moment. */
  isWanted(): boolean;
  /**
   * What to ask the server for, called once an attempt. May take its time (sessions are made here); rejects where the
   * server can't be reached.
   */
  prepareOrders(): Promise<StreamOrder[]>;
  /** A token of one of `clients`, to ping with. */
  tokenOf(clients: ReadonlySet<ClientId>): string | undefined;
  onMessage(order: StreamOrder, message: ChannelMessage): void;
  /** The state, or who is on the stream, has changed. */
  onChange(): void;
}

export interface Link {
  state(): LinkState;
  /** The stream that is live; `undefined` while none is. */
  stream(): EventStream | undefined;
  /** When the server was last heard of, ms since the epoch. */
  lastHeardAtMs(): number | undefined;
  /**
   * What is wanted has changed: opens, replaces (the new stream first, then the end of the old one) or closes, at the
   * latest `delayMs` from now.
   */
  refresh(delayMs?: number): void;
  /** Tries at once where it waits, and finds out whether it still lives where it believes so. */
  nudge(): void;
  /** Ends the stream and everything that would bring it back. */
  stop(): void;
}

/** How often to ping, in heartbeat intervals: one ping may be lost before the server gives up after 1.3. */
const PING_INTERVALS = 0.5;
const LEAST_PING_TIMEOUT_MS = 2_000;
const TICK_MS = 1000;
/** The server says something at least every 15 s. */
const SILENCE_LIMIT_MS = 25_000;
/** A tick that comes this late means that the machine slept. */
const SLEEP_GAP_MS = 5000;
const PROBE_TIMEOUT_MS = 3000;
const MISSED_PINGS_LIMIT = 2;
/** Changes that come in a burst (a dozen tabs restored at once) become one request. */
const REFRESH_DELAY_MS = 25;
/** Until the server says otherwise by `retry:`. */
const INITIAL_RETRY_MS = 1000;

export function startLink(options: LinkOptions): Link {
  const { network } = options;
  let state: LinkState = { kind: "idle" };
  let stream: EventStream | undefined;
  let attempt: AbortController | undefined;
  let isOutdated = false;
  let retryMs = INITIAL_RETRY_MS;
  let missedPings = 0;
  let lastHeardAtMs: number | undefined;
  let lastTickAtMs = Date.now();
  let dueTimer: ReturnType<typeof setTimeout> | undefined;
  let refreshTimer: ReturnType<typeof setTimeout> | undefined;
  let refreshDueAtMs = 0;
  let pingTimer: ReturnType<typeof setInterval> | undefined;

  function apply(event: LinkEvent): void {
    const before = state;
    state = nextLinkState(before, event, { nowMs: Date.now(), random: Math.random(), retryMs });
    if (state === before) return;
    clearTimeout(dueTimer);
    if (state.kind !== "live") adopt(undefined);
    if (state.kind === "idle") attempt?.abort();
    if (state.kind === "waiting") dueTimer = setTimeout(() => apply({ kind: "due" }), state.retryAtMs - Date.now());
    if (state.kind === "opening") void open();
    options.onChange();
  }

  /** Makes `next` the current stream and ends the one before. */
  function adopt(next: EventStream | undefined): void {
    const previous = stream;
    stream = next;
    clearInterval(pingTimer);
    missedPings = 0;
    if (previous !== undefined) lastHeardAtMs = Math.max(lastHeardAtMs ?? 0, previous.lastBytesAtMs());
    previous?.close();
    if (next !== undefined) pingTimer = setInterval(() => void beat(next), next.heartbeatIntervalMs * PING_INTERVALS);
  }

  /** Opens a stream for everyone who wants one. One attempt at a time: what changes meanwhile waits for the next. */
  async function open(): Promise<void> {
    if (attempt !== undefined) {
      isOutdated = true;
      return;
    }
    isOutdated = false;
    attempt = new AbortController();
    const { signal } = attempt;
    try {
      const orders = await options.prepareOrders();
      const next = orders.length === 0 || signal.aborted ? undefined : await openStream(orders, signal);
      attempt = undefined;
      if (next === undefined) settle();
      else if (signal.aborted) next.close();
      else welcome(next);
    } catch (error) {
      attempt = undefined;
      if (!signal.aborted) fail(error);
    }
    if (isOutdated) refresh();
  }

  async function openStream(orders: StreamOrder[], signal: AbortSignal): Promise<EventStream> {
    const next: EventStream = await openEventStream(network.send, orders, signal, {
      onMessage: options.onMessage,
      onRetry(wishMs) {
        retryMs = wishMs;
      },
      onEnd(outcome) {
        if (next === stream) apply({ kind: outcome });
      },
    });
    return next;
  }

  function welcome(next: EventStream): void {
    adopt(next);
    if (state.kind === "live") options.onChange();
    else apply({ kind: "opened" });
  }

  /** There was nobody to open a stream for: all were refused meanwhile. */
  function settle(): void {
    if (!options.isWanted()) apply({ kind: "unwanted" });
    else if (state.kind === "opening") apply({ kind: "failed" });
  }

  function fail(error: unknown): void {
    const refusal = error instanceof ProblemError ? error : undefined;
    const retryAfterMs = refusal?.retryAfterMs;
    if (state.kind === "live") refresh(retryMs + (retryAfterMs ?? 0));
    else apply({ kind: "failed", retryAfterMs, isFull: refusal !== undefined && saysFull(refusal.problem) });
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
    if (!options.isWanted()) apply({ kind: "unwanted" });
    else if (state.kind === "idle") apply({ kind: "wanted" });
    else if (state.kind !== "waiting") await open();
  }

  async function beat(target: EventStream): Promise<void> {
    const outcome = await tryPing(target, Math.max(LEAST_PING_TIMEOUT_MS, target.heartbeatIntervalMs * PING_INTERVALS));
    if (target !== stream) return;
    missedPings = outcome === "lost" ? missedPings + 1 : 0;
    if (outcome === "unknown" || missedPings >= MISSED_PINGS_LIMIT) apply({ kind: "dead" });
  }

  async function probe(target: EventStream): Promise<void> {
    const outcome = await tryPing(target, PROBE_TIMEOUT_MS);
    if (target === stream && outcome !== "heard") apply({ kind: "dead" });
  }

  /** `heard`: the server knows this connection; `unknown`: it doesn't; `lost`: no sign of the server. */
  async function tryPing(target: EventStream, timeoutMs: number): Promise<"heard" | "unknown" | "lost"> {
    const token = options.tokenOf(target.clients);
    if (token === undefined) return "heard";
    try {
      await ping(network.send, target.connection, token, timeoutMs);
      lastHeardAtMs = Date.now();
      return "heard";
    } catch (error) {
      const isRefusal = error instanceof ProblemError && error.problem.status < 500 && !saysFull(error.problem);
      return isRefusal ? "unknown" : "lost";
    }
  }

  function nudge(): void {
    if (state.kind === "waiting") apply({ kind: "due" });
    else if (stream !== undefined) void probe(stream);
  }

  const ticking = setInterval(() => {
    const nowMs = Date.now();
    const slept = nowMs - lastTickAtMs > SLEEP_GAP_MS;
    lastTickAtMs = nowMs;
    if (stream !== undefined && nowMs - stream.lastBytesAtMs() > SILENCE_LIMIT_MS) apply({ kind: "dead" });
    else if (slept) nudge();
  }, TICK_MS);

  return {
    state: () => state,
    stream: () => stream,
    lastHeardAtMs: () => (stream === undefined ? lastHeardAtMs : Math.max(lastHeardAtMs ?? 0, stream.lastBytesAtMs())),
    refresh,
    nudge,
    stop() {
      clearInterval(ticking);
      clearTimeout(refreshTimer);
      apply({ kind: "unwanted" });
    },
  };
}
