import type { ClientId, EventId, Presence, PresenceEvent } from "@presence/protocol";

/**
 * Decides which clients are online, and publishes each change as a presence event.
 *
 * A realtime server reports which clients are connected to it. The platform keeps a lease for each of them. The lease is
 * renewed every `heartbeatIntervalMs` (`d`) and expires 1.5 × d after the last heartbeat. A closed connection is no
 * presence event: only the lease decides.
 */
export interface PresencePlatform {
  /** `d`: the time between two heartbeats of a connected client, in ms. */
  readonly heartbeatIntervalMs: number;

  /** Starts heartbeats for `client`, the first one at once. Idempotent. */
  connect(client: ClientId): void;

  /**
   * Sends one extra heartbeat for `client` at once, if it is connected. Used before the client is sent to another server:
   * it then has a whole lease to connect there.
   */
  renew(client: ClientId): void;

  /** Stops heartbeats for `client`. `OFFLINE` follows when the lease expires. Idempotent. */
  disconnect(client: ClientId): void;

  /** Signs the client out: stops its heartbeats and ends its lease, so that `OFFLINE` follows at once. */
  leave(client: ClientId): Promise<void>;

  /** Subscribes listeners to the clients that `interest` names. Each call needs its own `unwatch`. */
  watch(interest: Interest): void;

  unwatch(interest: Interest): void;

  /**
   * The version after which listeners receive every event about the clients that `interest` names; infinite while the
   * subscription is not confirmed.
   */
  watchedSince(interest: Interest): number;

  /**
   * The current presence of the clients that `interest` names.
   *
   * The snapshot contains every event up to its version and no later one. A caller that watches first, then reads, and
   * then drops the events that the snapshot contains, misses no event and handles none twice.
   *
   * @throws {PresenceUnavailableError}
   */
  read(interest: Interest): Promise<PresenceSnapshot>;

  /** The clock that dates the events, as far as this server knows it; ms since the epoch. */
  clockMs(): number;

  /** Until when listeners have received every event; ms since the epoch, by the platform's clock. */
  completeUntilMs(): number;

  /** The newest position in the event order: all published events are at or before it, all future ones after it. */
  head(): EventId;

  /**
   * Registers a listener. It must not throw.
   *
   * @returns a function that removes it
   */
  subscribe(listener: PresenceListener): () => void;

  /** Whether the platform works; if it does not, the reason is a text for operators. */
  readiness(): Readiness;

  /** Stops timers and connections. Leases expire by themselves. */
  close(): Promise<void>;
}

export interface PresenceListener {
  /** New events, in the order of their versions. */
  onEvents(events: readonly PresenceEvent[]): void;

  /** Events were lost or the event order restarted: read a new snapshot. */
  onGap(): void;

  /** Presence can't be read. `onGap` follows when it can be read again. */
  onLost(): void;
}

/** The clients that a viewer wants presence of. */
export interface Interest {
  contacts: ReadonlySet<ClientId>;
  /** Events about all clients. Snapshots still contain `contacts` only: other clients must not be listed. */
  everyone: boolean;
  /** Also all guests that are online. */
  guests: boolean;
}

/** The presence of some clients at one position of the event order. */
export interface PresenceSnapshot {
  /** When it was read, ms since the epoch, by the platform's clock. */
  at: number;
  /** Its position in the event order. */
  id: EventId;
  /** One entry per requested contact and, if requested, per guest that is online; unordered. */
  presences: VersionedPresence[];
  /** Events before this version may have left no trace in the snapshot. */
  completeSince: number;
}

export interface VersionedPresence extends Presence {
  /** Version of the client's last event; 0 for a client never seen. */
  version: number;
  /** Version of the event before that, or a later one if it is unknown; 0 if there was none. */
  previousVersion: number;
}

/** Presence cannot be read at the moment. The message is a text for operators. */
export class PresenceUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PresenceUnavailableError";
  }
}

export type Readiness = { ready: true } | { ready: false; reason: string };

/** Lifetime of a lease, in heartbeat intervals. */
const LEASE_INTERVALS = 1.5;

/** Lifetime of a lease after the heartbeat that set it, in ms. */
export function leaseDurationMs(heartbeatIntervalMs: number): number {
  return LEASE_INTERVALS * heartbeatIntervalMs;
}
