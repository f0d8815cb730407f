import type { ClientId } from "./client-id.ts";

export type Status = "ONLINE" | "OFFLINE";

/** Why a client's status changed. */
export type Reason =
  /** the first heartbeat after an absence */
  | "connected"
  /** the client signed out, or its lease was deleted */
  | "left"
  /** the lease expired while its server still sent heartbeats */
  | "timed-out"
  /** the lease expired after its server stopped sending heartbeats */
  | "server-lost";

/** The status of one client at a point in time. */
export interface Presence {
  client: ClientId;
  status: Status;
  /** When the status began, ms since the epoch; 0 for a client never seen. */
  since: number;
}

/** One change of one client's status. Per client the events strictly alternate. */
export interface PresenceEvent {
  client: ClientId;
  status: Status;
  /** When it happened, ms since the epoch. */
  at: number;
  reason: Reason;
  /** Strictly increasing over all events, so a reader can drop late and repeated events. */
  version: number;
  /** Whether the client is a guest: known only while online, and visible to everyone who sees guests. */
  guest: boolean;
  /** Time from the end of the lease to `at`, in ms. Present only if the lease expired. */
  lagMs?: number;
}
