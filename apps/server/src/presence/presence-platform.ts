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

  /** No more heartbeats from this server for `client`: `OFFLINE` follows when the lease ends. Idempotent. */
  disconnect(client: ClientId): void;

  /** The client says goodbye: heartbeats stop and the lease ends now, so that `OFFLINE` follows at once. */
  leave(client: ClientId): Promise<void>;

  /**
   * The present state of these clients.
   *
   * Every event whose version is at most the reading's is contained in it, every later one is not: who subscribed before
   * calling `read` and drops the events that the reading contains has missed nothing and sees nothing twice.
   */
  read(clients: ReadonlySet<ClientId>): Promise<PresenceReading>;

  /** The newest position in the order of events: no event so far is beyond it, every coming one is. */
  head(): EventId;

  /**
   * Calls `listener` with each batch of new events, in the order of their versions. A listener must not throw.
   *
   * @returns a function that ends the subscription
   */
  subscribe(listener: PresenceListener): () => void;

  /** Whether the platform does its work, and if not, why, in words for an operator. */
  readiness(): Readiness;

  /** Stops timers and connections. Leases are left to end by themselves. */
  close(): Promise<void>;
}

export type PresenceListener = (events: readonly PresenceEvent[]) => void;

/** Presence of some clients at one point in the order of events. */
export interface PresenceReading {
  /** When it was taken, ms since the epoch, by the platform's clock. */
  at: number;
  /** Its position in the order of events. */
  id: EventId;
  /** One entry for each client asked for, in no particular order. */
  presences: Presence[];
}

export type Readiness = { ready: true } | { ready: false; reason: string };

/** How long a lease lives from the heartbeat that set it, in intervals. */
const LEASE_INTERVALS = 1.5;

/** How long a lease lives from the heartbeat that set it, in ms. */
export function leaseDurationMs(heartbeatIntervalMs: number): number {
  return LEASE_INTERVALS * heartbeatIntervalMs;
}
