import { FrameBatch } from "./frame-batch.ts";

export interface Flushable {
  flush(): void;
}

/** Bounds of the batching window, in ms. */
export interface FlushWindows {
  /** Longest delay of an event that arrived in time. */
  maxDelayMs: number;
  /** Longest delay of an event that arrived late. */
  maxDelayUnderLagMs: number;
}

/** Length of the window in durations of the last flush: flushing then takes at most a ninth of the time. */
const WINDOW_PER_FLUSH_DURATION = 8;
/** Fraction of its lag that a late event may be delayed in addition. */
const LAG_FRACTION = 1 / 4;
/** How long one turn of the event loop may flush, in ms. Other work runs between two turns. */
const FLUSH_SLICE_MS = 4;
const FLUSHES_PER_CLOCK_CHECK = 16;
/** If no event arrives for this long, in ms, the late events that were held for more of them are flushed (debounce). */
const QUIET_MS = 20;

/**
 * Batches events into one write per connection: in a fan-out the cost is the write call, not the bytes. After a quiet
 * period the first event is flushed at once. Only the events that follow wait for the end of the batching window.
 *
 * The window grows with the duration of a flush: short for a few viewers, longer for a thousand. Late events show that the
 * server cannot keep up. They are delayed for longer, which saves writes, and so all events are delivered sooner.
 */
export class FlushScheduler {
  readonly #windows: FlushWindows;
  #pending = new Set<Flushable>();
  #emptyBatch = FrameBatch.empty();
  #isScheduled = false;
  #lastFlushMs = 0;
  #lastEndMs = Number.NEGATIVE_INFINITY;
  #lagMs = 0;
  #lastEventMs = Number.NEGATIVE_INFINITY;

  constructor(windows: FlushWindows) {
    this.#windows = windows;
  }

  /** The common start of all batches for the next flush. */
  get emptyBatch(): FrameBatch {
    return this.#emptyBatch;
  }

  /** @param lagMs how late the event arrived that is about to be scheduled */
  recordLag(lagMs: number): void {
    this.#lagMs = lagMs;
    this.#lastEventMs = performance.now();
  }

  schedule(flushable: Flushable): void {
    this.#pending.add(flushable);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const waitMs = this.#windowEndMs() - performance.now();
    if (waitMs <= 0) setImmediate(() => this.#flush());
    else this.#wait(waitMs);
  }

  /** End of the window that started with the last flush, if it is at most `maxDelayMs` long. */
  #boundedWindowEndMs(maxDelayMs: number): number {
    return this.#lastEndMs + Math.min(maxDelayMs, WINDOW_PER_FLUSH_DURATION * this.#lastFlushMs);
  }

  #windowEndMs(): number {
    const { maxDelayMs, maxDelayUnderLagMs } = this.#windows;
    return this.#boundedWindowEndMs(Math.max(maxDelayMs, Math.min(maxDelayUnderLagMs, LAG_FRACTION * this.#lagMs)));
  }

  #wait(ms: number): void {
    setTimeout(
      () => {
        const nowMs = performance.now();
        const restMs = this.#windowEndMs() - nowMs;
        const isQuiet = nowMs - this.#lastEventMs >= QUIET_MS;
        if (restMs <= 0 || (isQuiet && nowMs >= this.#boundedWindowEndMs(this.#windows.maxDelayMs))) this.#flush();
        else this.#wait(restMs);
      },
      Math.min(ms, QUIET_MS),
    );
  }

  #flush(): void {
    const flushables = this.#pending;
    this.#pending = new Set();
    this.#emptyBatch = FrameBatch.empty();
    this.#lastFlushMs = 0;
    this.#flushSlice(flushables.values());
  }

  /** Flushes for one slice; the rest follows in the next turns of the event loop. */
  #flushSlice(flushables: Iterator<Flushable>): void {
    const startMs = performance.now();
    let nowMs = startMs;
    while (nowMs - startMs < FLUSH_SLICE_MS) {
      for (let count = 0; count < FLUSHES_PER_CLOCK_CHECK; count += 1) {
        const { value, done } = flushables.next();
        if (done === true) {
          this.#finish(startMs);
          return;
        }
        value.flush();
      }
      nowMs = performance.now();
    }
    this.#lastFlushMs += nowMs - startMs;
    setImmediate(() => this.#flushSlice(flushables));
  }

  #finish(startMs: number): void {
    this.#lastEndMs = performance.now();
    this.#lastFlushMs += this.#lastEndMs - startMs;
    this.#isScheduled = this.#pending.size > 0;
    if (this.#isScheduled) this.#wait(this.#windowEndMs() - this.#lastEndMs);
  }
}
