import type { EventId } from "@presence/protocol";
import { randomEpoch } from "../random-epoch.ts";

/**
 * The order in which one server publishes the events of several partitions.
 *
 * Each partition has its own event order, dated by the clock of its Redis. Events of different partitions have no common
 * order, so the server orders them by arrival. Positions in this order are valid on this server only: its epoch is unique.
 */
export class LocalOrder {
  #epoch = randomEpoch();
  #version = 0;

  /** The newest position. */
  get head(): EventId {
    return { epoch: this.#epoch, version: this.#version };
  }

  /**
   * Takes the next position.
   *
   * @param version the event's version in its partition; kept if it is higher than the newest position
   */
  next(version = 0): number {
    this.#version = Math.max(this.#version + 1, version);
    return this.#version;
  }

  /** Starts a new epoch: earlier positions are no longer valid. */
  restart(): void {
    this.#epoch = randomEpoch();
    this.#version += 1;
  }
}
