import { FrameBatch } from "./frame-batch.ts";

/** Something with bytes to put out. */
export interface Flushable {
  flush(): void;
}

/** How long what comes may be held back to be joined with what comes after it; ms. */
export interface FlushWindows {
  /** For what is in time. */
  maxDelayMs: number;
  /** For what is late already. */
  maxDelayUnderLagMs: number;
}

/** How many times as long as a flush took its window is: flushing takes a ninth of the time at the most, if it can. */
const WINDOW_OF_FLUSH = 8;
/** What part of its lateness something may be held back for. */
const LAG_FRACTION = 1 / 4;
/** How long one turn of the event loop flushes, in ms: whatever else there is to do comes between two turns. */
const FLUSH_SLICE_MS = 4;
/** How many are flushed between two looks at the clock. */
const FLUSHED_BETWEEN_LOOKS = 16;
/** When nothing more has come for so long, what was held back for it goes out, in ms. */
const QUIET_MS = 20;

/**
 * Joins what comes in quick succession into one write per connection: what costs in a fan-out is the write, not the
 * bytes. After a quiet time the first event goes out at once; only the ones that follow wait for the window to end.
 *
 * The window is as long as joining pays: a few watchers are soon written to again, a thousand are left in peace for longer.
 * What comes late shows that more happens than can be told in time: it is held back for longer, as what costs the time is
 * the writes, and so all of it is told sooner.
 */
export class FlushScheduler {
  readonly #windows: FlushWindows;
  #waiting = new Set<Flushable>();
  #start = FrameBatch.start();
  #isScheduled = false;
  #lastFlushMs = 0;
  #lastEndMs = Number.NEGATIVE_INFINITY;
  #latenessMs = 0;
  #lastCameMs = Number.NEGATIVE_INFINITY;

  constructor(windows: FlushWindows) {
    this.#windows = windows;
  }

  /** What all rows of frames begin with that wait for the next flush. */
  get start(): FrameBatch {
    return this.#start;
  }

  /** Something comes, so long after it was to; ms. */
  noteLateness(latenessMs: number): void {
    this.#latenessMs = latenessMs;
    this.#lastCameMs = performance.now();
  }

  schedule(flushable: Flushable): void {
    this.#waiting.add(flushable);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const waitMs = this.#windowEndMs() - performance.now();
    if (waitMs <= 0) setImmediate(() => this.#flush());
    else this.#wait(waitMs);
  }

  /** When the window ends that began with the last flush, if it is to be no longer than that. */
  #endOfWindowMs(maxDelayMs: number): number {
    return this.#lastEndMs + Math.min(maxDelayMs, WINDOW_OF_FLUSH * this.#lastFlushMs);
  }

  #windowEndMs(): number {
    const { maxDelayMs, maxDelayUnderLagMs } = this.#windows;
    return this.#endOfWindowMs(Math.max(maxDelayMs, Math.min(maxDelayUnderLagMs, LAG_FRACTION * this.#latenessMs)));
  }

  #wait(ms: number): void {
    setTimeout(
      () => {
        const nowMs = performance.now();
        const restMs = this.#windowEndMs() - nowMs;
        const isQuiet = nowMs - this.#lastCameMs >= QUIET_MS;
        if (restMs <= 0 || (isQuiet && nowMs >= this.#endOfWindowMs(this.#windows.maxDelayMs))) this.#flush();
        else this.#wait(restMs);
      },
      Math.min(ms, QUIET_MS),
    );
  }

  #flush(): void {
    const flushables = this.#waiting;
    this.#waiting = new Set();
    this.#start = FrameBatch.start();
    this.#lastFlushMs = 0;
    this.#flushSome(flushables.values());
  }

  /** As many as one turn of the event loop is to have; the others in the turns that follow. */
  #flushSome(flushables: Iterator<Flushable>): void {
    const startMs = performance.now();
    let nowMs = startMs;
    while (nowMs - startMs < FLUSH_SLICE_MS) {
      for (let count = 0; count < FLUSHED_BETWEEN_LOOKS; count += 1) {
        const { value, done } = flushables.next();
        if (done === true) {
          this.#end(startMs);
          return;
        }
        value.flush();
      }
      nowMs = performance.now();
    }
    this.#lastFlushMs += nowMs - startMs;
    setImmediate(() => this.#flushSome(flushables));
  }

  #end(startMs: number): void {
    this.#lastEndMs = performance.now();
    this.#lastFlushMs += this.#lastEndMs - startMs;
    this.#isScheduled = this.#waiting.size > 0;
    if (this.#isScheduled) this.#wait(this.#windowEndMs() - this.#lastEndMs);
  }
}
