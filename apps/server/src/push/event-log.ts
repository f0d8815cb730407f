import type { EventId, PresenceEvent } from "@presence/protocol";

/**
 * The latest events, so that a reader who comes back is told just what it missed.
 *
 * It knows from where on it is complete, and answers nothing that it can't prove.
 */
export class EventLog {
  readonly #capacity: number;
  readonly #epoch: string;
  #events: PresenceEvent[] = [];
  /** Every event after this version is in the log. */
  #completeAfter: number;

  /** @param start the position from which on all events are appended */
  constructor(start: EventId, capacity: number) {
    this.#epoch = start.epoch;
    this.#completeAfter = start.version;
    this.#capacity = capacity;
  }

  /** Versions must rise from call to call. */
  append(event: PresenceEvent): void {
    this.#events.push(event);
    // Trimmed by the half, so that an append costs the same however long the log is.
    if (this.#events.length > this.#capacity) {
      const evicted = this.#events.splice(0, Math.ceil(this.#capacity / 2));
      this.#completeAfter = evicted.at(-1)?.version ?? this.#completeAfter;
    }
  }

  /**
   * All events after `id`, oldest first.
   *
   * @param head the newest position so far: an id beyond it was never given out
   * @returns `undefined` where completeness can't be proven: another epoch, an id from before the log or from the future
   */
  after(id: EventId, head: EventId): readonly PresenceEvent[] | undefined {
    if (id.epoch !== this.#epoch || id.epoch !== head.epoch) return undefined;
    if (id.version < this.#completeAfter || id.version > head.version) return undefined;
    return this.#events.slice(this.#firstIndexAfter(id.version));
  }

  #firstIndexAfter(version: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const event = this.#events[middle];
      if (event && event.version <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
