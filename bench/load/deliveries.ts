import { ChangeScanner } from "./change-scanner.ts";
import type { RawStream } from "./raw-stream.ts";
import { epochMs } from "./schedule.ts";

/** The number of an event. */
export type EventOf = (colleague: number, isOnline: boolean) => number;

/** Which events have been delivered to which viewer, and when. */
export class Deliveries {
  /** Deliveries so far, without duplicates. */
  count = 0;
  /** Duplicates, and events that were not expected. */
  surplus = 0;
  readonly #viewers: readonly RawStream[];
  readonly #eventCount: number;
  /** By event, then by viewer, ms since the epoch; 0 until it arrives. */
  readonly #arrivedMs: Float64Array;

  constructor(viewers: readonly RawStream[], eventCount: number, eventOf: EventOf) {
    this.#viewers = viewers;
    this.#eventCount = eventCount;
    this.#arrivedMs = new Float64Array(viewers.length * eventCount);
    viewers.forEach((viewer, index) => {
      let nowMs = 0;
      const scanner = new ChangeScanner((colleague, isOnline) =>
        this.#note(eventOf(colleague, isOnline), index, nowMs),
      );
      viewer.onBytes = (bytes) => {
        nowMs = epochMs();
        scanner.scan(bytes);
      };
    });
  }

  /** The total number of deliveries. */
  get expected(): number {
    return this.#arrivedMs.length;
  }

  /**
   * Latency of each delivery, ms; infinite if it has not arrived.
   *
   * @param dueMs when each event was due, ms since the epoch
   */
  latencies(dueMs: readonly number[], isWanted: (event: number) => boolean): number[] {
    const latencies: number[] = [];
    dueMs.forEach((due, event) => {
      if (!isWanted(event)) return;
      for (let viewer = 0; viewer < this.#viewers.length; viewer++) {
        const arrivedMs = this.#arrivedMs[event * this.#viewers.length + viewer] ?? 0;
        latencies.push(arrivedMs === 0 ? Number.POSITIVE_INFINITY : arrivedMs - due);
      }
    });
    return latencies;
  }

  stop(): void {
    for (const viewer of this.#viewers) viewer.onBytes = undefined;
  }

  #note(event: number, viewer: number, nowMs: number): void {
    const at = event * this.#viewers.length + viewer;
    if (event < 0 || event >= this.#eventCount || this.#arrivedMs[at] !== 0) {
      this.surplus += 1;
      return;
    }
    this.#arrivedMs[at] = nowMs;
    this.count += 1;
  }
}
