import type { Revocations } from "./revocations.ts";
import type { Session } from "./sessions.ts";

/** Revocations in the memory of one server. */
export class MemoryRevocations implements Revocations {
  readonly #expiresAt = new Map<string, number>();

  add({ key, expiresAt }: Session): Promise<void> {
    const now = Date.now();
    for (const [other, end] of this.#expiresAt) if (end <= now) this.#expiresAt.delete(other);
    this.#expiresAt.set(key, expiresAt);
    return Promise.resolve();
  }

  has(key: string): Promise<boolean> {
    return Promise.resolve(this.#expiresAt.has(key));
  }
}
