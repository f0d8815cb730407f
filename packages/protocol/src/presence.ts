import type { ClientId } from "./client-id.ts";

export type Status = "ONLINE" | "OFFLINE";

/** Why a client's status changed. */
export type Reason =
  /** the first heartbeat after an absence */
  | "connected"
  /** signed out */
  | "left"
  /** the lease ran out */
  | "timed-out"
  /** the lease ran out, as its server did not come back */
  | "server-lost";

/** What is known of one client at one moment. */
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
  /** Position in the platform's order of events: rises strictly, so a late or repeated event is recognised by it. */
  version: number;
  /** Whether it is about one who is known only while online, and whom all may see who see guests. */
  guest: boolean;
  /** How long after the end of the lease that was, in ms; for those whose lease ran out. */
  lagMs?: number;
}
