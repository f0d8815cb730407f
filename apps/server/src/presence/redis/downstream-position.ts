import type { ReadReply } from "@presence/gears";
import type { EventId, PresenceEvent } from "@presence/protocol";
import type { DownstreamEvent } from "./downstream-entry.ts";

/** How far this server has processed its stream. Skips repeated entries and detects missing ones. */
export class DownstreamPosition {
  #head: EventId;
  /** The last entry that was processed, or that a snapshot made obsolete. */
  #sequence: number;
  /** Events up to this version are contained in the snapshot of the last (re)start. */
  #snapshotVersion: number;

  constructor(reply: ReadReply) {
    this.#head = headOf(reply);
    this.#sequence = reply.sequence;
    this.#snapshotVersion = this.#head.version;
  }

  /** The newest known position in the event order. */
  get head(): EventId {
    return this.#head;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** @returns the new events up to the first missing entry, and whether an entry is missing */
  accept(entries: readonly DownstreamEvent[]): { events: PresenceEvent[]; hasGap: boolean } {
    const events: PresenceEvent[] = [];
    for (const { sequence, epoch, ...event } of entries) {
      const isSameEpoch = epoch === this.#head.epoch;
      if (event.version <= this.#snapshotVersion || (isSameEpoch && sequence <= this.#sequence)) continue;
      if (!isSameEpoch || sequence !== this.#sequence + 1) return { events, hasGap: true };
      this.#sequence = sequence;
      events.push(event);
    }
    return { events, hasGap: false };
  }

  /** Moves the head forward. A position of another epoch is ignored: the next consistency check finds it and resyncs. */
  advance({ epoch, version }: EventId): void {
    if (epoch === this.#head.epoch && version > this.#head.version) this.#head = { epoch, version };
  }

  /** Continues after a new snapshot. */
  reset(reply: ReadReply): void {
    this.#head = headOf(reply);
    this.#sequence = reply.sequence;
    this.#snapshotVersion = this.#head.version;
  }
}

export function headOf({ epoch, version }: Pick<ReadReply, "epoch" | "version">): EventId {
  return { epoch, version: Number(version) };
}
