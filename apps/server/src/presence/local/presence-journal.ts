import type { ClientId, EventId, Presence, PresenceEvent, Reason, Status } from "@presence/protocol";

/**
 * The last known presence of each client and the order of all changes, with the time as an argument.
 *
 * A version is a hybrid clock: microseconds of the wall clock, pushed forward where that would not rise. So it tells
 * readers nothing about how much happens to people they can't see, as a counter would.
 */
export class PresenceJournal {
  readonly #epoch: string;
  readonly #maxAbsent: number;
  readonly #online = new Map<ClientId, number>();
  readonly #absent = new Map<ClientId, number>();
  #version = 0;

  /**
   * @param epoch names this order of events
   * @param maxAbsent for how many clients that are offline "last seen" is remembered; past it the longest absent go
   */
  constructor(epoch: string, maxAbsent: number) {
    this.#epoch = epoch;
    this.#maxAbsent = maxAbsent;
  }

  get head(): EventId {
    return { epoch: this.#epoch, version: this.#version };
  }

  /** Moves the order of events on, so that what comes later has a higher version than what has been read now. */
  tick(nowMs: number): EventId {
    this.#version = Math.max(this.#version + 1, Math.floor(nowMs) * 1000);
    return this.head;
  }

  /** Notes a change, or does nothing where `client` has that status already. */
  record(client: ClientId, status: Status, reason: Reason, nowMs: number): PresenceEvent | undefined {
    if ((status === "ONLINE") === this.#online.has(client)) return undefined;
    const [from, to] = status === "ONLINE" ? [this.#absent, this.#online] : [this.#online, this.#absent];
    from.delete(client);
    to.set(client, nowMs);
    this.#forgetLongestAbsent();
    return { client, status, at: nowMs, reason, version: this.tick(nowMs).version };
  }

  presenceOf(client: ClientId): Presence {
    const onlineSince = this.#online.get(client);
    return onlineSince === undefined
      ? { client, status: "OFFLINE", since: this.#absent.get(client) ?? 0 }
      : { client, status: "ONLINE", since: onlineSince };
  }

  #forgetLongestAbsent(): void {
    if (this.#absent.size <= this.#maxAbsent) return;
    const [longest] = this.#absent.keys();
    if (longest !== undefined) this.#absent.delete(longest);
  }
}
