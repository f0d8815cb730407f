import type { PresenceEvent } from "@presence/protocol";

/** Why a connection was closed. */
export type CloseReason =
  /** the client or the network closed it */
  | "gone"
  /** its browser stopped pinging */
  | "ghost"
  /** its socket buffer made no progress for too long */
  | "stalled"
  | "signed-out"
  | "token-expired"
  /** no snapshot could be read for it */
  | "unreadable"
  | "shutting-down";

/** Why a snapshot was sent. */
export type SnapshotCause =
  /** the stream is new, or its `Last-Event-ID` is not usable */
  | "fresh"
  /** the reader was too slow and lost events */
  | "lagged"
  /** the platform lost events */
  | "gap";

/** What the hub reports. */
export interface PushMetrics {
  setConnections(connectionCount: number, clientCount: number): void;
  countClose(reason: CloseReason): void;
  countEvent(event: PresenceEvent): void;
  /** @param lagMs time since the event, by the platform's clock */
  countDeliveries(count: number, lagMs: number): void;
  countSnapshot(cause: SnapshotCause): void;
  /** A reader reconnected and received only the events that it missed. */
  countResume(): void;
  /** A reader was too slow and lost events. */
  countLagged(): void;
}
