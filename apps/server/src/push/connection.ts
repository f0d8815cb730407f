import type { ClientId, PresenceEvent, Problem } from "@presence/protocol";
import type { ContactList } from "../contacts/directory.ts";
import type { CloseReason } from "../metrics.ts";
import type { EventSink } from "./event-sink.ts";
import type { Flushable, FlushScheduler } from "./flush-scheduler.ts";
import type { FrameBatch } from "./frame-batch.ts";
import type { PingWatchdog } from "./ping-watchdog.ts";
import { KEEP_ALIVE_FRAME } from "./sse.ts";

/** Whose stream is asked for, and by what right. */
export interface Subscription {
  client: ClientId;
  list: ContactList;
  /** The token's name, where one was used. */
  sessionKey?: string;
  /** When the token ends, ms since the epoch. */
  expiresAt?: number;
  watchdog?: PingWatchdog;
}

type State =
  /** its place in the order of events is being fetched: what comes meanwhile is held back */
  | Joining
  /** it has been told all up to this version, and is told of each event beyond */
  | { kind: "live" }
  /** more waited for it than may: it is told nothing until that has drained, then gets a snapshot */
  | { kind: "lagging" }
  | { kind: "closed" };

export interface HeldEvent {
  event: PresenceEvent;
  frame: Buffer;
}

/** One attempt to find its place; a later one takes its place. */
export interface Joining {
  kind: "joining";
  held: HeldEvent[];
}

/** What all connections of a server share. */
export interface ConnectionOptions {
  scheduler: FlushScheduler;
  /** How many bytes of changes may wait for this connection, beside its snapshot. */
  maxWaitingBytes: number;
  /** How many events may be held back while it is joining. */
  maxHeldEvents: number;
}

const NOT_LIVE = Number.POSITIVE_INFINITY;

/** One SSE stream of one client. */
export class Connection implements Flushable {
  readonly subscription: Subscription;
  readonly #sink: EventSink;
  readonly #options: ConnectionOptions;
  readonly #keepAliveMs: number;
  #state: State = { kind: "joining", held: [] };
  /** The version up to which it has been told all there is to tell; while it isn't live, it is told of no event. */
  #position = NOT_LIVE;
  /** Those that wait for the next flush. */
  #frames: FrameBatch | undefined;
  /** How many bytes of them may wait. */
  #roomBytes = 0;
  #snapshotBytes = 0;
  #lastWriteMs = performance.now();
  #closeReason: CloseReason = "gone";

  /** @param keepAliveMs after how long without a byte a keep-alive is due */
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

  /** How long what waits for this connection has not moved, in ms. */
  stalledMs(nowMs: number): number {
    return this.#sink.waitingBytes === 0 ? 0 : nowMs - this.#sink.lastProgressMs;
  }

  /** Holds back what comes from now on, until `goLive` with what is returned. */
  startJoining(): Joining {
    const joining: Joining = { kind: "joining", held: [] };
    if (this.#state.kind !== "closed") this.#turn(joining);
    return joining;
  }

  /**
   * Puts out where the reader stands (a snapshot, or what it missed), then what came meanwhile and isn't part of that.
   *
   * @param joining what `startJoining` returned; of an attempt that was overtaken nothing comes
   * @param position the version up to which `opening` tells all there is to tell
   */
  goLive(joining: Joining, opening: readonly Buffer[], position: number): void {
    if (this.#state !== joining) return;
    this.#state = { kind: "live" };
    this.#position = position;
    const bytes = Buffer.concat(opening);
    this.#snapshotBytes = bytes.length;
    this.#write(bytes);
    for (const { event, frame } of joining.held) this.deliver(event, frame);
  }

  /** @returns whether this connection lost its place by it */
  deliver(event: PresenceEvent, frame: Buffer): boolean {
    // First, and with as little as can be looked at: it is what a fan-out does most. An event may come down later than a
    // reading that contains it.
    if (event.version > this.#position) return !this.#enqueue(frame);
    if (this.#state.kind === "joining") this.#hold(this.#state, event, frame);
    return false;
  }

  /** Into a state in which it is told of no event; what waits is told in another way, or never. */
  #turn(state: State): void {
    this.#state = state;
    this.#position = NOT_LIVE;
    this.#frames = undefined;
  }

  #hold({ held }: Joining, event: PresenceEvent, frame: Buffer): void {
    held.push({ event, frame });
    if (held.length > this.#options.maxHeldEvents) this.destroy("unreadable");
  }

  flush(): void {
    if (this.#state.kind === "live") this.#writeFrames();
  }

  /** Whether it has lost its place, and everything that waited before has gone. */
  get isReadyToRejoin(): boolean {
    return this.#state.kind === "lagging" && this.#sink.waitingBytes === 0;
  }

  /** Writes a keep-alive where nothing else was written lately. */
  keepAlive(nowMs: number): void {
    const isDue = nowMs - this.#lastWriteMs >= this.#keepAliveMs;
    if (isDue && this.#state.kind === "live" && this.#sink.waitingBytes === 0) this.#write(KEEP_ALIVE_FRAME);
  }

  /** Says a last word, where there is one, and ends the stream. */
  end(reason: CloseReason, { problem, lastWord }: { problem?: Problem; lastWord?: Buffer } = {}): void {
    if (this.#state.kind === "closed") return;
    this.#closeReason = reason;
    if (lastWord) this.#sink.write(lastWord);
    this.#sink.end(problem);
  }

  destroy(reason: CloseReason): void {
    if (this.#state.kind === "closed") return;
    this.#closeReason = reason;
    this.#sink.destroy();
  }

  markClosed(): void {
    this.#turn({ kind: "closed" });
  }

  /** @returns whether there was room */
  #enqueue(frame: Buffer): boolean {
    // Until the next flush nothing is added to what waits in the sink: looked at once, and not for each frame.
    if (this.#frames === undefined) this.#roomBytes = this.#measureRoom();
    if ((this.#frames?.byteLength ?? 0) + frame.length > this.#roomBytes) {
      this.#writeFrames();
      this.#roomBytes = this.#measureRoom();
      if (frame.length > this.#roomBytes) {
        this.#turn({ kind: "lagging" });
        return false;
      }
    }
    const { scheduler } = this.#options;
    // While frames wait, their flush is scheduled.
    if (this.#frames === undefined) scheduler.schedule(this);
    this.#frames = (this.#frames ?? scheduler.start).with(frame);
    return true;
  }

  /** What waits in the sink is the reader's slowness; what waits here only waits for the end of the window. */
  #measureRoom(): number {
    const waitingBytes = this.#sink.waitingBytes;
    if (waitingBytes === 0) this.#snapshotBytes = 0;
    return this.#options.maxWaitingBytes + this.#snapshotBytes - waitingBytes;
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
