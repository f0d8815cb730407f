import { inNextTurn } from "../next-turn.ts";
import { FrameRow } from "./frame-row.ts";

/** Something with bytes to put out. */
export interface Flushable {
  flush(): void;
}

/** How many times as long as a flush took its window is: flushing takes a ninth of the time at the most, if it can. */
const WINDOW_OF_FLUSH = 8;

/**
 * Joins what comes in quick succession into one write per connection: what costs in a fan-out is the write, not the
 * bytes. After a quiet time the first event goes out at once; only the ones that follow wait for the window to end.
 *
 * The window is as long as joining pays: a few watchers are soon written to again, a thousand are left in peace for longer.
 */
export class FlushScheduler {
  readonly #maxWindowMs: number;
  #waiting = new Set<Flushable>();
  #start = FrameRow.start();
  #isScheduled = false;
  #windowEndMs = Number.NEGATIVE_INFINITY;

  constructor(maxWindowMs: number) {
    this.#maxWindowMs = maxWindowMs;
  }

  /** What all rows of frames begin with that wait for the next flush. */
  get start(): FrameRow {
    return this.#start;
  }

  schedule(flushable: Flushable): void {
    this.#waiting.add(flushable);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    inNextTurn(() => this.#flush(), this.#windowEndMs);
  }

  #flush(): void {
    this.#isScheduled = false;
    const startMs = performance.now();
    const flushables = this.#waiting;
    this.#waiting = new Set();
    this.#start = FrameRow.start();
    for (const flushable of flushables) flushable.flush();
    const endMs = performance.now();
    this.#windowEndMs = endMs + Math.min(this.#maxWindowMs, WINDOW_OF_FLUSH * (endMs - startMs));
  }
}
