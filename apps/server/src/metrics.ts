import type { PresenceEvent } from "@presence/protocol";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Upper bounds of the lag buckets, in seconds: an `OFFLINE` is due within 50 ms of the end of its lease. */
const LAG_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const MS_PER_SECOND = 1000;

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

/** What is counted of the triggers' own report. */
interface TriggersStatus {
  isWorking: boolean;
  warnings: readonly string[];
}

/** What operators may know of one server. Nothing here names a client. */
export class Metrics {
  readonly registry = new Registry();
  readonly connections = this.#gauge("presence_connections", "Open SSE connections.");
  readonly clients = this.#gauge(
    "presence_connected_clients",
    "Viewers: clients with at least one connection to this server.",
  );
  readonly closed = this.#counter("presence_connections_closed_total", "Connections that ended, by reason.", [
    "reason",
  ]);
  readonly events = this.#counter("presence_events_total", "Presence events, by status and reason.", [
    "status",
    "reason",
  ]);
  readonly heartbeats = this.#counter(
    "presence_heartbeats_total",
    "Heartbeats: clients named in entries of the heartbeat stream, by outcome.",
    ["outcome"],
  );
  readonly heartbeatEntries = this.#counter(
    "presence_heartbeat_entries_total",
    "Entries of the heartbeat stream, by outcome.",
    ["outcome"],
  );
  readonly refused = this.#counter("presence_refused_total", "Requests and connections refused by a limit.", [
    "reason",
  ]);
  readonly redisReconnects = this.#counter(
    "presence_redis_reconnects_total",
    "Times the connection to Redis was lost and came back.",
    [],
  );
  readonly gaps = this.#counter("presence_gaps_total", "Gaps in the events that were closed with snapshots.", []);
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
  readonly offlineLag = this.#lag(
    "presence_offline_lag_seconds",
    "How long after the end of its lease a client was published as OFFLINE.",
  );
  readonly deliveryLag = this.#lag(
    "presence_delivery_lag_seconds",
    "How long after an event, by the platform's clock, this server handed it to those who watch.",
  );

  /** Adds what Node.js itself has to tell (heap, event loop, handles). */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Adds how the triggers hosted here are doing, where there are any. */
  collectTriggers(host: { status(): TriggersStatus } | undefined): void {
    if (!host) return;
    const gauge = (name: string, help: string, read: (status: TriggersStatus) => boolean) =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(read(host.status()) ? 1 : 0);
        },
      });
    gauge("presence_triggers_working", "Whether the triggers hosted here work.", ({ isWorking }) => isWorking);
    gauge(
      "presence_triggers_warned",
      "Whether the triggers hosted here have something to warn of, such as no keyspace notifications.",
      ({ warnings }) => warnings.length > 0,
    );
  }

  countEvent({ status, reason }: PresenceEvent): void {
    this.events.inc({ status, reason });
  }

  countHeartbeat(outcome: "sent" | "failed", clientCount: number): void {
    this.heartbeatEntries.inc({ outcome });
    this.heartbeats.inc({ outcome }, clientCount);
  }

  /** @param lagMs how long ago the event was */
  countDeliveries(count: number, lagMs: number): void {
    this.deliveries.inc(count);
    // What is known of another machine's clock is out by some ms.
    this.deliveryLag.observe(Math.max(0, lagMs) / MS_PER_SECOND);
  }

  countClose(reason: CloseReason): void {
    this.closed.inc({ reason });
  }

  countSnapshot(cause: SnapshotCause): void {
    this.snapshots.inc({ cause });
  }

  #lag(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: LAG_BUCKETS_SECONDS, registers: [this.registry] });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
