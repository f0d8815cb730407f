import { createProblem, type EventId, type PresenceEvent, parseEventId, retryRangeMs } from "@presence/protocol";
import type { Logger } from "pino";
import { type ContactList, canSee } from "../contacts/can-see.ts";
import {
  type PresencePlatform,
  type PresenceSnapshot,
  PresenceUnavailableError,
  type Readiness,
} from "../presence/presence-platform.ts";
import type { Session } from "../sessions/sessions.ts";
import { Connection, type ConnectionOptions, type Subscription } from "./connection.ts";
import { Drain, DrainingError, type DrainPace } from "./drain.ts";
import { EventLog } from "./event-log.ts";
import type { EventSink } from "./event-sink.ts";
import { FlushScheduler } from "./flush-scheduler.ts";
import { clamp, type Range, randomBetween } from "./jitter.ts";
import { PingWatchdogs } from "./ping-watchdog.ts";
import { catchUpFrames, eventFrame, snapshotFrame, staleFrame } from "./presence-frames.ts";
import type { PushMetrics, SnapshotCause } from "./push-metrics.ts";
import { PushRegistry } from "./push-registry.ts";
import { encodeRetry } from "./sse.ts";

/** Limits of the streams. */
export interface PushLimits {
  /** How many bytes of events may be buffered per connection, in addition to its snapshot. */
  maxBufferedBytes: number;
  /** A slow reader is disconnected after this time without progress, in ms. */
  maxStalledMs: number;
  /** A new reader is disconnected if its first snapshot can't be read for this time, in ms. */
  maxJoiningMs: number;
  /** How many events are kept for readers that reconnect. */
  eventLogCapacity: number;
}

const DEFAULT_PUSH_LIMITS: PushLimits = {
  maxBufferedBytes: 256 * 1024,
  maxStalledMs: 30_000,
  maxJoiningMs: 30_000,
  eventLogCapacity: 10_000,
};

const FLUSH_WINDOWS = { maxDelayMs: 5, maxDelayUnderLagMs: 100 };
const MAX_DEFERRED_EVENTS = 10_000;
/** A keep-alive is due after at most 15 s. Jitter spreads the writes of many connections over time. */
const KEEP_ALIVE_MS: Range = { min: 9_000, max: 13_000 };
/**
 * A browser is considered gone after this many intervals without a ping. With its lease, others see it `OFFLINE` after
 * 1.3 + 1.5 intervals and one inspection, which is within the three intervals of the contract.
 */
const WATCHDOG_INTERVALS = 1.3;
const INSPECTIONS_PER_INTERVAL = 20;
const INSPECTION_MS: Range = { min: 10, max: 250 };
/** Upper bound of the time between the check of a token and the opening of its stream. */
const MAX_OPENING_MS = 60_000;

export interface PushHubDependencies {
  platform: PresencePlatform;
  metrics: PushMetrics;
  logger: Logger;
  limits?: Partial<PushLimits>;
}

export interface OpenRequest {
  subscription: Subscription;
  sink: EventSink;
  /** The last `id:` that the reader received. */
  lastEventId: string | undefined;
}

/** Holds this server's connections, and delivers each presence event to the viewers that may see it. */
export class PushHub {
  /** Detect browsers that are gone. */
  readonly watchdogs = new PingWatchdogs();
  readonly #platform: PresencePlatform;
  readonly #metrics: PushMetrics;
  readonly #logger: Logger;
  readonly #limits: PushLimits;
  readonly #registry = new PushRegistry();
  readonly #scheduler = new FlushScheduler(FLUSH_WINDOWS);
  readonly #connectionOptions: ConnectionOptions;
  readonly #drain = new Drain();
  #log: EventLog;
  /** Sessions that signed out lately, with the time: a stream with the same token may still be opening. */
  readonly #signedOut = new Map<string, number>();
  readonly #unsubscribe: () => void;
  readonly #inspection: NodeJS.Timeout;
  readonly #inspectionMs: number;
  readonly #retryMs: Range;
  #lastInspectionMs = performance.now();
  /** All connections of a shared response, for each of them. */
  readonly #sharedResponses = new WeakMap<Connection, readonly Connection[]>();

  constructor({ platform, metrics, logger, limits }: PushHubDependencies) {
    this.#platform = platform;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#limits = { ...DEFAULT_PUSH_LIMITS, ...limits };
    this.#connectionOptions = {
      scheduler: this.#scheduler,
      maxBufferedBytes: this.#limits.maxBufferedBytes,
      maxDeferredEvents: MAX_DEFERRED_EVENTS,
    };
    this.#log = new EventLog(platform.head(), this.#limits.eventLogCapacity);
    this.#unsubscribe = platform.subscribe({
      onEvents: (events) => this.#push(events),
      onGap: () => this.#resync(),
      onLost: () => this.#goStale(),
    });
    this.#retryMs = retryRangeMs(platform.heartbeatIntervalMs);
    this.#inspectionMs = clamp(platform.heartbeatIntervalMs / INSPECTIONS_PER_INTERVAL, INSPECTION_MS);
    this.#inspection = setInterval(() => this.#inspect(), this.#inspectionMs);
  }

  /** `d`, in ms. A browser pings several times per interval. */
  get heartbeatIntervalMs(): number {
    return this.#platform.heartbeatIntervalMs;
  }

  /** Whether this server should receive new clients; if not, the reason is a text for operators. */
  readiness(): Readiness {
    if (this.#drain.isDraining) return { ready: false, reason: new DrainingError().message };
    return this.#platform.readiness();
  }

  /**
   * @throws {PresenceUnavailableError} if presence can't be read
   * @throws {DrainingError} if new connections are refused
   */
  requireReady(): void {
    if (this.#drain.isRefusing) throw new DrainingError();
    const readiness = this.#platform.readiness();
    if (!readiness.ready) throw new PresenceUnavailableError(readiness.reason);
  }

  /** Like `openAll`, for one connection. */
  open(subscription: Subscription, sink: EventSink, lastEventId: string | undefined): void {
    this.openAll([{ subscription, sink, lastEventId }]);
  }

  /**
   * Opens connections: their clients are `ONLINE` from now on. Each stream starts with the events since its `lastEventId`,
   * or with a snapshot if these can't be determined completely.
   *
   * All clients are connected before the first snapshot is read. So clients that reconnect together after a server restart
   * do not see each other as `OFFLINE`.
   */
  openAll(requests: readonly OpenRequest[]): void {
    const connections = requests.map(({ subscription, sink }) => this.#connect(subscription, sink));
    if (connections.length > 1) {
      for (const connection of connections) this.#sharedResponses.set(connection, connections);
    }
    this.#reportConnections();
    connections.forEach((connection, index) => {
      const lastEventId = requests[index]?.lastEventId;
      void this.#start(connection, lastEventId === undefined ? undefined : parseEventId(lastEventId));
    });
  }

  /** The presence of all clients that the list's owner may see now. */
  async read(list: ContactList): Promise<PresenceSnapshot> {
    const snapshot = await this.#platform.read(list);
    return { ...snapshot, presences: snapshot.presences.filter(({ client }) => client !== list.owner) };
  }

  /**
   * Ends the connections that use the session's token, including those that are being opened. The client is `OFFLINE` at
   * once if it has no other connection here.
   */
  async signOut({ client, key }: Session): Promise<void> {
    this.#signedOut.set(key, performance.now());
    const own = [...this.#registry.connectionsOf(client)].filter(({ subscription }) => subscription.sessionKey === key);
    for (const connection of own) endSignedOut(connection);
    // A sink closes only after its last bytes were sent, but the client is signed out now.
    for (const connection of own) this.#close(connection);
    if (this.#registry.connectionsOf(client).size === 0) await this.#platform.leave(client);
  }

  /**
   * Moves all clients to other servers, a few at a time. Each receives a `retry:` with jitter and has a whole lease to
   * reconnect. The remaining connections work as before.
   *
   * @returns when no connection is left
   */
  drain(pace: DrainPace): Promise<void> {
    return this.#drain.run(pace, this.#registry, (connection) => {
      const connections = this.#sharedResponses.get(connection) ?? [connection];
      for (const each of connections) {
        this.#platform.renew(each.subscription.client);
        this.#endWithRetry(each, "shutting-down");
      }
      return connections;
    });
  }

  /** Ends all connections; each reader gets a `retry:` with jitter. */
  close(): void {
    clearInterval(this.#inspection);
    this.#unsubscribe();
    for (const connection of [...this.#registry.connections()]) this.#endWithRetry(connection, "shutting-down");
  }

  #endWithRetry(connection: Connection, reason: "shutting-down" | "unreadable"): void {
    const problem = createProblem(`urn:presence:problem:${reason === "shutting-down" ? reason : "presence-lost"}`);
    connection.end(reason, { lastFrame: this.#retryFrame(), problem });
  }

  #connect(subscription: Subscription, sink: EventSink): Connection {
    const connection = new Connection(subscription, sink, this.#connectionOptions, randomBetween(KEEP_ALIVE_MS));
    this.#registry.add(connection);
    sink.onClose(() => this.#close(connection));
    this.#platform.watch(subscription.list);
    if (this.#signedOut.has(subscription.sessionKey ?? "")) endSignedOut(connection);
    else this.#platform.connect(subscription.client);
    return connection;
  }

  #close(connection: Connection): void {
    if (connection.state === "closed") return;
    connection.markClosed();
    this.#registry.remove(connection);
    const { client, list } = connection.subscription;
    this.#platform.unwatch(list);
    if (this.#registry.connectionsOf(client).size === 0) this.#platform.disconnect(client);
    this.#metrics.countClose(connection.closeReason);
    this.#reportConnections();
  }

  #push(events: readonly PresenceEvent[]): void {
    const [first] = events;
    // The first event of a batch has waited longest.
    if (first) this.#scheduler.recordLag(this.#platform.clockMs() - first.at + (first.lagMs ?? 0));
    for (const event of events) {
      this.#log.append(event);
      this.#metrics.countEvent(event);
      this.#deliver(event);
    }
  }

  /**
   * Presence can't be read. Streams stay open, so that their clients need not return within the time for which the
   * platform holds `OFFLINE` back afterwards. Each stream continues with a snapshot.
   */
  #goStale(): void {
    const frame = this.#staleFrame();
    for (const connection of this.#registry.connections()) connection.goStale(frame, this.#staleTimes());
  }

  #staleFrame(): Buffer {
    return staleFrame(this.#platform.completeUntilMs());
  }

  #staleTimes(): { nowMs: number; retryAtMs: number } {
    const nowMs = performance.now();
    return { nowMs, retryAtMs: nowMs + randomBetween(this.#retryMs) };
  }

  /** Events were lost, so no position in the event order is valid. */
  #resync(): void {
    this.#log = new EventLog(this.#platform.head(), this.#limits.eventLogCapacity);
    for (const connection of this.#registry.connections()) void this.#sync(connection, undefined, "gap");
  }

  #deliver(event: PresenceEvent): void {
    let frame: Buffer | undefined;
    let deliveries = 0;
    this.#registry.forEachViewerOf(event, (connection) => {
      frame ??= this.#eventFrame(event);
      if (connection.deliver(event, frame)) this.#metrics.countLagged();
      deliveries += 1;
    });
    if (deliveries > 0) this.#metrics.countDeliveries(deliveries, this.#platform.clockMs() - event.at);
  }

  #eventFrame(event: PresenceEvent): Buffer {
    return eventFrame(event, this.#platform.head().epoch);
  }

  #retryFrame(): Buffer {
    return encodeRetry(randomBetween(this.#retryMs));
  }

  async #start(connection: Connection, id: EventId | undefined): Promise<void> {
    if (!(id && this.#resumeFromLog(connection, id))) await this.#sync(connection, id, "fresh");
  }

  /** @returns whether the log contains all events since `id`, and they were sent */
  #resumeFromLog(connection: Connection, id: EventId): boolean {
    const { list } = connection.subscription;
    if (id.version < this.#platform.watchedSince(list)) return false;
    const missed = this.#log.after(id, this.#platform.head());
    if (!missed) return false;
    const frames = missed.filter((event) => canSee(list, event)).map((event) => this.#eventFrame(event));
    const position = missed.at(-1)?.version ?? id.version;
    connection.goLive(connection.startSync(), [this.#retryFrame(), ...frames], position);
    this.#metrics.countResume();
    return true;
  }

  /** Reads presence, and sends the changes since `id` if the snapshot shows all of them; otherwise the snapshot. */
  async #sync(connection: Connection, id: EventId | undefined, cause: SnapshotCause): Promise<void> {
    const sync = connection.startSync();
    const { list } = connection.subscription;
    let snapshot: PresenceSnapshot;
    try {
      snapshot = await this.read(list);
    } catch (error) {
      if (!connection.isSyncing(sync)) return;
      // A retry that fails like the attempt before needs no second warning.
      const level = connection.staleMs(performance.now()) > 0 ? "debug" : "warn";
      this.#logger[level]({ err: error }, "presence could not be read for a snapshot");
      connection.goStale(this.#staleFrame(), this.#staleTimes());
      return;
    }
    const changes = id && catchUpFrames(snapshot, id);
    const frames = changes ?? [snapshotFrame(snapshot)];
    if (!connection.hasStarted) frames.unshift(this.#retryFrame());
    connection.goLive(sync, frames, snapshot.id.version);
    if (changes) this.#metrics.countResume();
    else this.#metrics.countSnapshot(cause);
  }

  #inspect(): void {
    const nowMs = performance.now();
    const suspendedMs = nowMs - this.#lastInspectionMs - this.#inspectionMs;
    this.#lastInspectionMs = nowMs;
    // If this process was suspended, missed pings prove nothing: reset all watchdogs.
    if (suspendedMs > this.heartbeatIntervalMs / 2) this.watchdogs.resetAll(nowMs);
    for (const [key, signedOutMs] of this.#signedOut) {
      if (nowMs - signedOutMs > MAX_OPENING_MS) this.#signedOut.delete(key);
    }
    const now = Date.now();
    const { ready: isReadable } = this.#platform.readiness();
    for (const connection of [...this.#registry.connections()])
      this.#inspectConnection(connection, { nowMs, now, isReadable });
  }

  #inspectConnection(
    connection: Connection,
    { nowMs, now, isReadable }: { nowMs: number; now: number; isReadable: boolean },
  ): void {
    const { watchdog, expiresAt } = connection.subscription;
    const watchdogMs = WATCHDOG_INTERVALS * this.heartbeatIntervalMs;
    if (watchdog && watchdog.silenceMs(nowMs) > watchdogMs) connection.destroy("ghost");
    else if (connection.stalledMs(nowMs) > this.#limits.maxStalledMs) connection.destroy("stalled");
    else if (expiresAt !== undefined && expiresAt <= now)
      connection.end("token-expired", { problem: createProblem("urn:presence:problem:token-expired") });
    else if (!connection.hasStarted && connection.staleMs(nowMs) > this.#limits.maxJoiningMs)
      this.#endWithRetry(connection, "unreadable");
    else if (connection.isReadyToResync) void this.#sync(connection, undefined, "lagged");
    else if (isReadable && connection.isRetryDue(nowMs)) void this.#sync(connection, undefined, "gap");
    else connection.keepAlive(nowMs);
  }

  #reportConnections(): void {
    this.#metrics.setConnections(this.#registry.connectionCount, this.#registry.clientCount);
  }
}

function endSignedOut(connection: Connection): void {
  connection.end("signed-out", { problem: createProblem("urn:presence:problem:signed-out") });
}
