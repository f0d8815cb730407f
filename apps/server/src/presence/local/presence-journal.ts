import type { ClientId, EventId, PresenceEvent, Status } from "@presence/protocol";
import type { VersionedPresence } from "../presence-platform.ts";

/**
 * The last known presence of each client, and the order of all changes. The caller passes the time.
 *
 * A version is a hybrid clock: microseconds of the wall clock, incremented if the wall clock did not advance. A plain
 * counter would tell readers how many events there are about clients that they may not see.
 */
export class PresenceJournal {
  readonly #epoch: string;
  readonly #maxOfflineClients: number;
  readonly #online = new Map<ClientId, Change>();
  readonly #offline = new Map<ClientId, Change>();
  readonly #guestsOnline = new Set<ClientId>();
  #version = 0;
  #completeSince: number;

  constructor({ epoch, startedMs, maxOfflineClients }: JournalOptions) {
    this.#epoch = epoch;
    this.#maxOfflineClients = maxOfflineClients;
    this.#completeSince = this.tick(startedMs).version;
  }

  get head(): EventId {
    return { epoch: this.#epoch, version: this.#version };
  }

  /** Advances the version, so that later events have a higher version than a snapshot that is read now. */
  tick(nowMs: number): EventId {
    this.#version = Math.max(this.#version + 1, Math.floor(nowMs) * 1000);
    return this.head;
  }

  /** The version of the last change that was evicted: a guest that went offline, or the client longest offline. */
  get completeSince(): number {
    return this.#completeSince;
  }

  get guestsOnline(): ReadonlySet<ClientId> {
    return this.#guestsOnline;
  }

  /** @returns the event, or `undefined` if `client` already has that status */
  record(
    { client, status, reason, guest }: Omit<PresenceEvent, "at" | "version">,
    nowMs: number,
  ): PresenceEvent | undefined {
    if ((status === "ONLINE") === this.#online.has(client)) return undefined;
    const { version } = this.tick(nowMs);
    const previousVersion = this.presenceOf(client).version;
    const [from, to] = status === "ONLINE" ? [this.#offline, this.#online] : [this.#online, this.#offline];
    from.delete(client);
    to.set(client, { since: nowMs, version, previousVersion });
    if (guest) this.#recordGuest(client, status, version);
    this.#evictLongestOffline();
    return { client, status, at: nowMs, reason, version, guest };
  }

  presenceOf(client: ClientId): VersionedPresence {
    const online = this.#online.get(client);
    if (online) return { client, status: "ONLINE", ...online };
    return { client, status: "OFFLINE", ...(this.#offline.get(client) ?? NEVER_SEEN) };
  }

  #recordGuest(client: ClientId, status: Status, version: number): void {
    if (status === "ONLINE") this.#guestsOnline.add(client);
    else if (this.#guestsOnline.delete(client)) this.#completeSince = version;
  }

  #evictLongestOffline(): void {
    if (this.#offline.size <= this.#maxOfflineClients) return;
    for (const [client, { version }] of this.#offline) {
      this.#offline.delete(client);
      this.#completeSince = Math.max(this.#completeSince, version);
      return;
    }
  }
}

export interface JournalOptions {
  /** Names this event order. */
  epoch: string;
  /** When it starts, ms since the epoch. */
  startedMs: number;
  /** "Last seen" is kept for this many offline clients; beyond that the client longest offline is evicted. */
  maxOfflineClients: number;
}

type Change = Pick<VersionedPresence, "since" | "version" | "previousVersion">;

const NEVER_SEEN: Change = { since: 0, version: 0, previousVersion: 0 };
