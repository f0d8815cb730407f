import type { ClientId } from "@presence/protocol";

/**
 * Leases of equal duration. The caller passes the time.
 *
 * All leases live equally long, so the order of their last renewal is the order of their deadlines. A `Map` keeps
 * insertion order: every operation is O(1), without a heap.
 */
export class LeaseTable {
  readonly #durationMs: number;
  readonly #deadlines = new Map<ClientId, number>();

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /**
   * Sets or renews a lease.
   *
   * @param nowMs must not decrease between calls
   * @returns whether the client had no lease before
   */
  renew(client: ClientId, nowMs: number): boolean {
    const isNew = !this.#deadlines.delete(client);
    this.#deadlines.set(client, nowMs + this.#durationMs);
    return isNew;
  }

  /** @returns whether the client had a lease */
  end(client: ClientId): boolean {
    return this.#deadlines.delete(client);
  }

  /** When the next lease expires, on the clock of `renew`; `undefined` if there is none. */
  nextDeadlineMs(): number | undefined {
    return this.#deadlines.values().next().value;
  }

  /** Removes and returns the leases that have expired at `nowMs`, in the order of their deadlines. */
  takeExpired(nowMs: number): Lease[] {
    const expired: Lease[] = [];
    for (const [client, deadlineMs] of this.#deadlines) {
      if (deadlineMs > nowMs) break;
      this.#deadlines.delete(client);
      expired.push({ client, deadlineMs });
    }
    return expired;
  }
}

export interface Lease {
  client: ClientId;
  deadlineMs: number;
}
