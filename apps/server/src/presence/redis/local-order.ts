import type { EventId } from "@presence/protocol";
import { randomEpoch } from "./redis-presence-platform.ts";

/**
 * The order in which one server tells of the events of several partitions.
 *
 * Each partition has an order of its own, by the clock of its Redis, and nothing says which of two events of different
 * partitions was first. So a server puts them in the order in which it is told of them. Positions in it mean something to
 * this server alone: its epoch is no other's.
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
   * @param version what the event has in the order of its partition: it keeps that wherever it can
   */
  next(version = 0): number {
    this.#version = Math.max(this.#version + 1, version);
    return this.#version;
  }

  /** Nothing that was told before proves anything from here on. */
  restart(): void {
    this.#epoch = randomEpoch();
    this.#version += 1;
  }
}
