import type { ClientId, EventId, PresenceEvent, Status } from "@presence/protocol";
import type { VersionedPresence } from "../presence-platform.ts";

/**
 * The last known presence of each client and the order of all changes, with the time as an argument.
 *
 * A version is a hybrid clock: microseconds of the wall clock, pushed forward where that would not rise. So it tells
 * readers nothing about how much happens to people they can't see, as a counter would.
 */
export class PresenceJournal {
  readonly #epoch: string;
  readonly #maxAbsent: number;
  readonly #online = new Map<ClientId, Change>();
  readonly #absent = new Map<ClientId, Change>();
  readonly #guestsOnline = new Set<ClientId>();
  #version = 0;
  #forgottenVersion: number;

  constructor({ epoch, startedMs, maxAbsent }: JournalOptions) {
    this.#epoch = epoch;
    this.#maxAbsent = maxAbsent;
    this.#forgottenVersion = this.tick(startedMs).version;
  }

  get head(): EventId {
    return { epoch: this.#epoch, version: this.#version };
  }

  /** Moves the order of events on, so that what comes later has a higher version than what has been read now. */
  tick(nowMs: number): EventId {
    this.#version = Math.max(this.#version + 1, Math.floor(nowMs) * 1000);
    return this.head;
  }

  /** From here on nothing is forgotten: a client longest absent, or a guest who has gone. */
  get forgottenVersion(): number {
    return this.#forgottenVersion;
  }

  get guestsOnline(): ReadonlySet<ClientId> {
    return this.#guestsOnline;
  }

  /** Notes a change, or does nothing where `client` has that status already. */
  record(
    { client, status, reason, guest }: Omit<PresenceEvent, "at" | "version">,
    nowMs: number,
  ): PresenceEvent | undefined {
    if ((status === "ONLINE") === this.#online.has(client)) return undefined;
    const { version } = this.tick(nowMs);
    const previousVersion = this.presenceOf(client).version;
    const [from, to] = status === "ONLINE" ? [this.#absent, this.#online] : [this.#online, this.#absent];
    from.delete(client);
    to.set(client, { since: nowMs, version, previousVersion });
    if (guest) this.#noteGuest(client, status, version);
    this.#forgetLongestAbsent();
    return { client, status, at: nowMs, reason, version, guest };
  }

  presenceOf(client: ClientId): VersionedPresence {
    const online = this.#online.get(client);
    if (online) return { client, status: "ONLINE", ...online };
    return { client, status: "OFFLINE", ...(this.#absent.get(client) ?? NEVER_SEEN) };
  }

  #noteGuest(client: ClientId, status: Status, version: number): void {
    if (status === "ONLINE") this.#guestsOnline.add(client);
    else if (this.#guestsOnline.delete(client)) this.#forgottenVersion = version;
  }

  #forgetLongestAbsent(): void {
    if (this.#absent.size <= this.#maxAbsent) return;
    for (const [client, { version }] of this.#absent) {
      this.#absent.delete(client);
      this.#forgottenVersion = Math.max(this.#forgottenVersion, version);
      return;
    }
  }
}

export interface JournalOptions {
  /** Names this order of events. */
  epoch: string;
  /** When it begins, ms since the epoch. */
  startedMs: number;
  /** For how many clients that are offline "last seen" is remembered; past it the longest absent go. */
  maxAbsent: number;
}

type Change = Pick<VersionedPresence, "since" | "version" | "previousVersion">;

const NEVER_SEEN: Change = { since: 0, version: 0, previousVersion: 0 };
