import type { PresenceEvent } from "@presence/protocol";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CloseReason, PushMetrics, SnapshotCause } from "./push/push-metrics.ts";

/** Upper bounds of the lag buckets, in seconds. `OFFLINE` is expected within 50 ms after the lease expired. */
const LAG_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const MS_PER_SECOND = 1000;

/** The part of the trigger host's status that is exported. */
interface TriggersStatus {
  isWorking: boolean;
  warnings: readonly string[];
}

/** Prometheus metrics of one server. No label names a client. */
export class Metrics implements PushMetrics {
  readonly registry = new Registry();
  readonly connections = this.#gauge("presence_connections", "Open SSE connections.");
  readonly clients = this.#gauge("presence_connected_clients", "Clients with at least one connection to this server.");
  readonly closed = this.#counter("presence_connections_closed_total", "Closed connections, by reason.", ["reason"]);
  readonly events = this.#counter("presence_events_total", "Presence events, by status and reason.", [
    "status",
    "reason",
  ]);
  readonly heartbeats = this.#counter(
    "presence_heartbeats_total",
    "Heartbeats (clients in entries of the heartbeat stream), by outcome.",
    ["outcome"],
  );
  readonly heartbeatEntries = this.#counter(
    "presence_heartbeat_entries_total",
    "Entries written to the heartbeat stream, by outcome.",
    ["outcome"],
  );
  readonly refused = this.#counter("presence_refused_total", "Requests and connections refused by a limit.", [
    "reason",
  ]);
  readonly redisReconnects = this.#counter("presence_redis_reconnects_total", "Reconnects to Redis.", []);
  readonly gaps = this.#counter("presence_gaps_total", "Gaps in the events that were closed with snapshots.", []);
  readonly deliveries = this.#counter("presence_deliveries_total", "Presence events sent to connections.", []);
  readonly snapshots = this.#counter("presence_snapshots_total", "Snapshots sent, by cause.", ["cause"]);
  readonly resumes = this.#counter(
    "presence_resumes_total",
    "Readers that reconnected and received only the events that they missed.",
    [],
  );
  readonly lagged = this.#counter("presence_lagged_total", "Times a reader was too slow and lost events.", []);
  readonly offlineLag = this.#lag(
    "presence_offline_lag_seconds",
    "Delay between the end of a lease and the OFFLINE event.",
  );
  readonly deliveryLag = this.#lag(
    "presence_delivery_lag_seconds",
    "Delay between an event, by the platform's clock, and its delivery to this server's connections.",
  );

  /** Adds the metrics of Node.js (heap, event loop lag, handles). */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Adds the status of the trigger host in this process. */
  collectTriggers(host: { status(): TriggersStatus }): void {
    const gauge = (name: string, help: string, read: (status: TriggersStatus) => boolean) =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(read(host.status()) ? 1 : 0);
        },
      });
    gauge("presence_triggers_working", "Whether the trigger host of this server works.", ({ isWorking }) => isWorking);
    gauge(
      "presence_triggers_warned",
      "Whether the trigger host of this server has warnings, such as missing keyspace notifications.",
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

  countDeliveries(count: number, lagMs: number): void {
    this.deliveries.inc(count);
    // The clock of Redis is known with an error of some ms, so the difference may be negative.
    this.deliveryLag.observe(Math.max(0, lagMs) / MS_PER_SECOND);
  }

  setConnections(connectionCount: number, clientCount: number): void {
    this.connections.set(connectionCount);
    this.clients.set(clientCount);
  }

  countClose(reason: CloseReason): void {
    this.closed.inc({ reason });
  }

  countSnapshot(cause: SnapshotCause): void {
    this.snapshots.inc({ cause });
  }

  countResume(): void {
    this.resumes.inc();
  }

  countLagged(): void {
    this.lagged.inc();
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
