/** Maximum age of the best sample, in ms. After that a less exact sample replaces it, because clocks drift. */
const MAX_SAMPLE_AGE_MS = 60_000;

interface Sample {
  /** The remote clock minus the local clock, in ms. */
  offsetMs: number;
  /** Time between request and reply. The error of the offset is at most half of it. */
  roundTripMs: number;
  takenMs: number;
}

/**
 * Estimates the current time of a remote clock from replies that contain it. The sample with the shortest round trip of
 * the last minute is used.
 *
 * The local clock is monotonic. So no wall clock is compared with another one, and a change of the local wall clock has no
 * effect.
 */
export class ClockEstimate {
  #best: Sample | undefined;

  /**
   * @param remoteMs the remote time in the reply
   * @param requestedMs when the request was sent, on the local clock
   * @param repliedMs when the reply arrived, on the local clock
   */
  observe(remoteMs: number, requestedMs: number, repliedMs: number): void {
    const roundTripMs = repliedMs - requestedMs;
    const isBetter =
      !this.#best || roundTripMs <= this.#best.roundTripMs || repliedMs - this.#best.takenMs > MAX_SAMPLE_AGE_MS;
    if (isBetter) {
      this.#best = { offsetMs: remoteMs - (requestedMs + repliedMs) / 2, roundTripMs, takenMs: repliedMs };
    }
  }

  /** The remote time at a local time, ms since the epoch; `undefined` before the first sample. */
  at(localMs: number): number | undefined {
    return this.#best && localMs + this.#best.offsetMs;
  }
}
