/** At most so many a second, and as many at once: what is not used in one second is there for no later one. */
export class RateLimit {
  readonly #perSecond: number;
  #left: number;
  #lastMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#lastMs = nowMs;
  }

  /**
   * @param nowMs by any clock that doesn't go back
   * @returns whether there is one more
   */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Whether nothing has been taken lately. */
  isIdle(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#left === this.#perSecond;
  }

  #refill(nowMs: number): void {
    const more = ((nowMs - this.#lastMs) / 1000) * this.#perSecond;
    this.#left = Math.min(this.#perSecond, this.#left + more);
    this.#lastMs = nowMs;
  }
}
