import type { EventId, PresenceEvent } from "@presence/protocol";

/**
 * The latest events, so that a reader that reconnects receives only the events that it missed. The log knows since which
 * version it is complete, and returns nothing for older positions.
 */
export class EventLog {
  readonly #capacity: number;
  readonly #epoch: string;
  #events: PresenceEvent[] = [];
  /** Every event after this version is in the log. */
  #completeSince: number;

  /** @param start the position after which all events are appended */
  constructor(start: EventId, capacity: number) {
    this.#epoch = start.epoch;
    this.#completeSince = start.version;
    this.#capacity = capacity;
  }

  /** Versions must increase from call to call. */
  append(event: PresenceEvent): void {
    this.#events.push(event);
    // Evicts half of the log at once, so that the amortised cost does not depend on its length.
    if (this.#events.length > this.#capacity) {
      const evicted = this.#events.splice(0, Math.ceil(this.#capacity / 2));
      this.#completeSince = evicted.at(-1)?.version ?? this.#completeSince;
    }
  }

  /**
   * All events after `id`, oldest first.
   *
   * @param head the newest position: an id beyond it is invalid
   * @returns `undefined` if the log may be incomplete: another epoch, or an id before the log or in the future
   */
  after(id: EventId, head: EventId): readonly PresenceEvent[] | undefined {
    if (id.epoch !== this.#epoch || id.epoch !== head.epoch) return undefined;
    if (id.version < this.#completeSince || id.version > head.version) return undefined;
    return this.#events.slice(this.#firstIndexAfter(id.version));
  }

  /** Binary search. */
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
