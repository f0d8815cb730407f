import type { ClientId, PresenceEvent, Problem } from "@presence/protocol";
import type { ContactList } from "../contacts/can-see.ts";
import type { EventSink } from "./event-sink.ts";
import type { Flushable, FlushScheduler } from "./flush-scheduler.ts";
import type { FrameBatch } from "./frame-batch.ts";
import type { PingWatchdog } from "./ping-watchdog.ts";
import type { CloseReason } from "./push-metrics.ts";
import { KEEP_ALIVE_FRAME } from "./sse.ts";

/** Which stream to open, and the token that allows it. */
export interface Subscription {
  client: ClientId;
  list: ContactList;
  /** Id of the token, if there is one. */
  sessionKey?: string;
  /** When the token expires, ms since the epoch. */
  expiresAt?: number;
  watchdog?: PingWatchdog;
}

type State =
  /** a snapshot is being read; events are deferred until then */
  | Sync
  /** the reader has everything up to a position, and receives each later event */
  | { kind: "live" }
  /** the reader was too slow: it receives nothing until its buffer is empty, then a snapshot */
  | { kind: "lagging" }
  /** presence can't be read: the reader was told so, and receives no events until the next snapshot */
  | { kind: "stale"; retryAtMs: number }
  | { kind: "closed" };

export interface DeferredEvent {
  event: PresenceEvent;
  frame: Buffer;
}

/** One attempt to synchronise the reader. A later attempt replaces it. */
export interface Sync {
  kind: "syncing";
  deferred: DeferredEvent[];
}

/** Shared by all connections of a server. */
export interface ConnectionOptions {
  scheduler: FlushScheduler;
  /** How many bytes of events may be buffered per connection, in addition to its snapshot. */
  maxBufferedBytes: number;
  /** How many events may be deferred while a connection is syncing. */
  maxDeferredEvents: number;
}

const NOT_LIVE = Number.POSITIVE_INFINITY;

/** One SSE stream of one client. */
export class Connection implements Flushable {
  readonly subscription: Subscription;
  readonly #sink: EventSink;
  readonly #options: ConnectionOptions;
  readonly #keepAliveMs: number;
  #state: State = { kind: "syncing", deferred: [] };
  /** The reader has everything up to this version. Infinite while it is not live, so that no event is sent. */
  #position = NOT_LIVE;
  /** Frames for the next flush. */
  #frames: FrameBatch | undefined;
  /** How many bytes `#frames` may hold. */
  #capacityBytes = 0;
  #snapshotBytes = 0;
  #hasStarted = false;
  /** Since when the reader has been told that its statuses may be out of date. On the monotonic clock, in ms. */
  #staleSinceMs: number | undefined;
  #lastWriteMs = performance.now();
  #closeReason: CloseReason = "gone";

  /** @param keepAliveMs a keep-alive is sent after this time without a write */
  constructor(subscription: Subscription, sink: EventSink, options: ConnectionOptions, keepAliveMs: number) {
    this.subscription = subscription;
    this.#sink = sink;
    this.#options = options;
    this.#keepAliveMs = keepAliveMs;
  }

  get state(): State["kind"] {
    return this.#state.kind;
  }

  get closeReason(): CloseReason {
    return this.#closeReason;
  }

  /** Whether the reader has received its first frames: a snapshot, or the missed events. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** How long the reader has known that its statuses may be out of date, in ms; 0 if they are up to date. */
  staleMs(nowMs: number): number {
    return this.#staleSinceMs === undefined ? 0 : nowMs - this.#staleSinceMs;
  }

  /** How long the buffered bytes have made no progress, in ms; 0 if nothing is buffered. */
  stalledMs(nowMs: number): number {
    return this.#sink.bufferedBytes === 0 ? 0 : nowMs - this.#sink.lastProgressMs;
  }

  /** Defers events from now on, until `goLive` is called with the returned value. */
  startSync(): Sync {
    const sync: Sync = { kind: "syncing", deferred: [] };
    if (this.#state.kind !== "closed") this.#suspend(sync);
    return sync;
  }

  /**
   * Sends the first frames (a snapshot, or the missed events), then the deferred events that these do not contain.
   *
   * @param sync the value of `startSync`; if a later attempt replaced it, nothing happens
   * @param position the version up to which `frames` contain everything
   */
  goLive(sync: Sync, frames: readonly Buffer[], position: number): void {
    if (this.#state !== sync) return;
    this.#state = { kind: "live" };
    this.#hasStarted = true;
    this.#staleSinceMs = undefined;
    this.#position = position;
    const bytes = Buffer.concat(frames);
    this.#snapshotBytes = bytes.length;
    this.#write(bytes);
    for (const { event, frame } of sync.deferred) this.deliver(event, frame);
  }

  /** Whether `sync` is the current attempt to synchronise the reader. */
  isSyncing(sync: Sync): boolean {
    return this.#state === sync;
  }

  /**
   * Tells the reader that its statuses may be out of date. It receives no events until the next snapshot. A lagging reader
   * is not told before its buffer is empty.
   *
   * @param frame the `stale` message; it is written once, until the next `goLive`
   */
  goStale(frame: Buffer, { nowMs, retryAtMs }: { nowMs: number; retryAtMs: number }): void {
    if (this.#state.kind === "closed" || this.#state.kind === "lagging") return;
    this.#writeFrames();
    this.#suspend({ kind: "stale", retryAtMs });
    if (this.#staleSinceMs !== undefined) return;
    this.#staleSinceMs = nowMs;
    this.#write(frame);
  }

  /** @returns whether the reader was too slow, and the connection is now lagging */
  deliver(event: PresenceEvent, frame: Buffer): boolean {
    // Most calls of a fan-out end here, so this check comes first and reads one field only. An event that the snapshot
    // already contains may arrive after it.
    if (event.version > this.#position) return !this.#enqueue(frame);
    if (this.#state.kind === "syncing") this.#defer(this.#state, event, frame);
    return false;
  }

  /** Enters a state without event delivery, and drops the pending frames. */
  #suspend(state: State): void {
    this.#state = state;
    this.#position = NOT_LIVE;
    this.#frames = undefined;
  }

  #defer({ deferred }: Sync, event: PresenceEvent, frame: Buffer): void {
    deferred.push({ event, frame });
    if (deferred.length > this.#options.maxDeferredEvents) this.destroy("unreadable");
  }

  flush(): void {
    if (this.#state.kind === "live") this.#writeFrames();
  }

  /** Whether the connection is lagging and its buffer is empty again. */
  get isReadyToResync(): boolean {
    return this.#state.kind === "lagging" && this.#sink.bufferedBytes === 0;
  }

  /** Whether the connection is stale and the time of the next attempt has come. */
  isRetryDue(nowMs: number): boolean {
    return this.#state.kind === "stale" && nowMs >= this.#state.retryAtMs;
  }

  /** Writes a keep-alive if nothing was written lately. */
  keepAlive(nowMs: number): void {
    const isDue = nowMs - this.#lastWriteMs >= this.#keepAliveMs;
    if (isDue && this.#sink.bufferedBytes === 0) this.#write(KEEP_ALIVE_FRAME);
  }

  /** Writes a last frame, if there is one, and ends the stream. */
  end(reason: CloseReason, { problem, lastFrame }: { problem?: Problem; lastFrame?: Buffer } = {}): void {
    if (this.#state.kind === "closed") return;
    this.#closeReason = reason;
    if (lastFrame) this.#sink.write(lastFrame);
    this.#sink.end(problem);
  }

  destroy(reason: CloseReason): void {
    if (this.#state.kind === "closed") return;
    this.#closeReason = reason;
    this.#sink.destroy();
  }

  markClosed(): void {
    this.#suspend({ kind: "closed" });
  }

  /** @returns `false` if the buffer is full and the connection is now lagging */
  #enqueue(frame: Buffer): boolean {
    // The sink's buffer does not grow until the next flush, so its size is read once per batch, not per frame.
    if (this.#frames === undefined) this.#capacityBytes = this.#measureCapacity();
    if ((this.#frames?.byteLength ?? 0) + frame.length > this.#capacityBytes) {
      this.#writeFrames();
      this.#capacityBytes = this.#measureCapacity();
      if (frame.length > this.#capacityBytes) {
        this.#suspend({ kind: "lagging" });
        return false;
      }
    }
    const { scheduler } = this.#options;
    // If there are pending frames, their flush is already scheduled.
    if (this.#frames === undefined) scheduler.schedule(this);
    this.#frames = (this.#frames ?? scheduler.emptyBatch).with(frame);
    return true;
  }

  /** Bytes in the sink's buffer mean backpressure by a slow reader; pending frames only wait for the batching window. */
  #measureCapacity(): number {
    const { bufferedBytes } = this.#sink;
    if (bufferedBytes === 0) this.#snapshotBytes = 0;
    return this.#options.maxBufferedBytes + this.#snapshotBytes - bufferedBytes;
  }

  #writeFrames(): void {
    const frames = this.#frames;
    if (frames === undefined) return;
    this.#frames = undefined;
    this.#write(frames.bytes);
  }

  #write(bytes: Buffer): void {
    this.#lastWriteMs = performance.now();
    this.#sink.write(bytes);
  }
}
