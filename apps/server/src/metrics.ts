import type { PresenceEvent } from "@presence/protocol";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Upper bounds of the lag buckets, in seconds: an `OFFLINE` is due within 50 ms of the end of its lease. */
const LAG_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Why a connection ended. */
export type CloseReason =
  /** the other side closed it, or the network did */
  | "gone"
  /** its browser stopped pinging */
  | "ghost"
  /** nothing of what waited for it moved for too long */
  | "stalled"
  | "signed-out"
  | "token-expired"
  /** presence could not be read for its snapshot */
  | "unreadable"
  | "shutting-down";

/** Why a reader was sent a snapshot. */
export type SnapshotCause =
  /** it is new, or its `Last-Event-ID` proves nothing */
  | "fresh"
  /** it read too slowly and lost its place */
  | "lagged"
  /** the platform lost its place */
  | "gap";

/** What operators may know of one server. Nothing here names a client. */
export class Metrics {
  readonly registry = new Registry();
  readonly connections = this.#gauge("presence_connections", "Open SSE connections.");
  readonly clients = this.#gauge("presence_connected_clients", "Clients with at least one connection to this server.");
  readonly closed = this.#counter("presence_connections_closed_total", "Connections that ended, by reason.", [
    "reason",
  ]);
  readonly events = this.#counter("presence_events_total", "Presence events, by status and reason.", [
    "status",
    "reason",
  ]);
  readonly deliveries = this.#counter("presence_deliveries_total", "Presence events put out to connections.", []);
  readonly snapshots = this.#counter("presence_snapshots_total", "Snapshots sent, by cause.", ["cause"]);
  readonly resumes = this.#counter(
    "presence_resumes_total",
    "Readers who came back and got only what they missed.",
    [],
  );
  readonly lagged = this.#counter(
    "presence_lagged_total",
    "Times a connection read too slowly and lost its place.",
    [],
  );
  readonly offlineLag = new Histogram({
    name: "presence_offline_lag_seconds",
    help: "How long after the end of its lease a client was published as OFFLINE.",
    buckets: LAG_BUCKETS_SECONDS,
    registers: [this.registry],
  });

  /** Adds what Node.js itself has to tell (heap, event loop, handles). */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  countEvent({ status, reason }: PresenceEvent): void {
    this.events.inc({ status, reason });
  }

  countClose(reason: CloseReason): void {
    this.closed.inc({ reason });
  }

  countSnapshot(cause: SnapshotCause): void {
    this.snapshots.inc({ cause });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
