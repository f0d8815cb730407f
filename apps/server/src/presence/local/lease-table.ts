import type { ClientId } from "@presence/protocol";

/**
 * Leases of equal duration, with the time as an argument.
 *
 * As all leases live equally long, the order of their last refresh is the order of their deadlines; a `Map` keeps
 * insertion order, so every operation is O(1) and no heap is needed.
 */
export class LeaseTable {
  readonly #durationMs: number;
  readonly #deadlines = new Map<ClientId, number>();

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /**
   * Sets or prolongs a lease from `nowMs`, which must not go back between calls.
   *
   * @returns whether there was none before
   */
  refresh(client: ClientId, nowMs: number): boolean {
    const isNew = !this.#deadlines.delete(client);
    this.#deadlines.set(client, nowMs + this.#durationMs);
    return isNew;
  }

  /** @returns whether there was a lease to end */
  end(client: ClientId): boolean {
    return this.#deadlines.delete(client);
  }

  /** When the next lease runs out, on the clock of `refresh`; `undefined` where there is none. */
  nextDeadlineMs(): number | undefined {
    return this.#deadlines.values().next().value;
  }

  /** Ends the leases that have run out by `nowMs`, first to die first. */
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
