/** Tokens that were signed out, each remembered until it would have ended anyway. The time is an argument. */
export class Revocations {
  readonly #expiresAt = new Map<string, number>();

  /** @param expiresAt when the token ends by itself, ms since the epoch */
  add(key: string, expiresAt: number, now: number): void {
    for (const [other, end] of this.#expiresAt) if (end <= now) this.#expiresAt.delete(other);
    this.#expiresAt.set(key, expiresAt);
  }

  has(key: string): boolean {
    return this.#expiresAt.has(key);
  }
}
