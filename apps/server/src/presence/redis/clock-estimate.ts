/** A reading of the remote clock counts for so long, in ms: then a less exact one is better, as clocks drift. */
const LIFE_MS = 60_000;

interface Reading {
  /** What the remote clock is ahead of the local one, in ms. */
  offsetMs: number;
  /** The time between question and answer: the offset is out by half of it at the most. */
  roundTripMs: number;
  takenMs: number;
}

/**
 * What a remote clock shows now, from answers that told its time: the quickest of the last minute knows best.
 *
 * The local clock is the process's monotonic one. So neither machine's wall clock is compared with the other's, and
 * setting one changes nothing.
 */
export class ClockEstimate {
  #best: Reading | undefined;

  /**
   * @param remoteMs what the answer told
   * @param askedMs when the question went out, by the local clock
   * @param answeredMs when the answer came, by the local clock
   */
  observe(remoteMs: number, askedMs: number, answeredMs: number): void {
    const roundTripMs = answeredMs - askedMs;
    const isBetter = !this.#best || roundTripMs <= this.#best.roundTripMs || answeredMs - this.#best.takenMs > LIFE_MS;
    if (isBetter) {
      this.#best = { offsetMs: remoteMs - (askedMs + answeredMs) / 2, roundTripMs, takenMs: answeredMs };
    }
  }

  /** The remote clock at that local time, ms since the epoch; `undefined` before the first answer. */
  at(localMs: number): number | undefined {
    return this.#best && localMs + this.#best.offsetMs;
  }
}
