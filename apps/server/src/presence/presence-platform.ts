import type { ClientId, EventId, Presence, PresenceEvent } from "@presence/protocol";

/**
 * Decides who is online, and tells.
 *
 * A realtime server says which clients are connected to it; the platform keeps a lease for each, refreshed every
 * `heartbeatIntervalMs` (`d`) and alive for 1.5 × d, and turns leases into presence events. A closed connection is no
 * event: the lease decides.
 */
export interface PresencePlatform {
  /** `d`: the time between two heartbeats of a connected client, in ms. */
  readonly heartbeatIntervalMs: number;

  /** From now on this server sends heartbeats for `client`, the first one at once. Idempotent. */
  connect(client: ClientId): void;

  /**
   * One more heartbeat for `client`, if it is connected, at once: it is about to be sent elsewhere, and has a whole lease
   * to get there.
   */
  renew(client: ClientId): void;

  /** No more heartbeats from this server for `client`: `OFFLINE` follows when the lease ends. Idempotent. */
  disconnect(client: ClientId): void;

  /** The client says goodbye: heartbeats stop and the lease ends now, so that `OFFLINE` follows at once. */
  leave(client: ClientId): Promise<void>;

  /** From now on listeners are told of whom `watch` names. To be taken back by `unwatch` as often as it was called. */
  watch(interest: Interest): void;

  unwatch(interest: Interest): void;

  /**
   * The version after which listeners have been told of every event about whom `watch` names; infinite where that has yet
   * to begin.
   */
  watchedSince(interest: Interest): number;

  /**
   * The present state of whom `watch` names.
   *
   * Every event whose version is at most the reading's is contained in it, every later one is not: who has watched before
   * calling `read` and drops the events that the reading contains has missed nothing and sees nothing twice.
   *
   * @throws {PresenceUnavailableError}
   */
  read(interest: Interest): Promise<PresenceSnapshot>;

  /** The clock by which events are dated, as far as this server knows it; ms since the epoch. */
  clockMs(): number;

  /** The newest position in the order of events: no event so far is beyond it, every coming one is. */
  head(): EventId;

  /**
   * Calls `listener` from now on. A listener must not throw.
   *
   * @returns a function that ends the subscription
   */
  subscribe(listener: PresenceListener): () => void;

  /** Whether the platform does its work, and if not, why, in words for an operator. */
  readiness(): Readiness;

  /** Stops timers and connections. Leases are left to end by themselves. */
  close(): Promise<void>;
}

export interface PresenceListener {
  /** New events, in the order of their versions. */
  onEvents(events: readonly PresenceEvent[]): void;

  /** Events have been missed, or their order has been broken: only a new reading tells how things are. */
  onGap(): void;

  /** Nobody can tell how things are, until there is a reading again. */
  onLost(): void;
}

/** Whose presence is to be known. */
export interface Interest {
  contacts: ReadonlySet<ClientId>;
  /** Events about anyone; a reading still names the contacts alone, as who is nobody's contact is not to be listed. */
  everyone: boolean;
  /** Also whoever is online as a guest. */
  guests: boolean;
}

/** Presence of some clients at one point in the order of events. */
export interface PresenceSnapshot {
  /** When it was taken, ms since the epoch, by the platform's clock. */
  at: number;
  /** Its position in the order of events. */
  id: EventId;
  /** One entry for each contact asked for, and for each guest who is online; in no particular order. */
  presences: VersionedPresence[];
  /** Before this version, something may have happened of which the reading shows nothing. */
  completeSince: number;
}

export interface VersionedPresence extends Presence {
  /** Of the event that made it so; 0 for a client never seen. */
  version: number;
  /** Of the client's event before that, or a later one where that isn't known; 0 where there was none. */
  previousVersion: number;
}

/** Nobody can tell who is online at the moment; the message says why, for an operator. */
export class PresenceUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PresenceUnavailableError";
  }
}

export type Readiness = { ready: true } | { ready: false; reason: string };

/** How long a lease lives from the heartbeat that set it, in intervals. */
const LEASE_INTERVALS = 1.5;

/** How long a lease lives from the heartbeat that set it, in ms. */
export function leaseDurationMs(heartbeatIntervalMs: number): number {
  return LEASE_INTERVALS * heartbeatIntervalMs;
}
