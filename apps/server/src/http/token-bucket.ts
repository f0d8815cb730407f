/** A token bucket with a capacity of one second: at most `perSecond` per second, and at most that many at once. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #refilledMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#refilledMs = nowMs;
  }

  /**
   * @param nowMs on a monotonic clock
   * @returns whether a token was left
   */
  take(nowMs: number): boolean {
    const added = ((nowMs - this.#refilledMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + added);
    this.#refilledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
