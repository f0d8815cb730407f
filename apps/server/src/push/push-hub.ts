import { setTimeout as delay } from "node:timers/promises";
import {
  type ClientId,
  createProblem,
  type EventId,
  formatEventId,
  type PresenceEvent,
  type PresenceMessage,
  parseEventId,
} from "@presence/protocol";
import type { Logger } from "pino";
import type { ContactList } from "../contacts/directory.ts";
import type { Metrics, SnapshotCause } from "../metrics.ts";
import {
  type PresencePlatform,
  type PresenceSnapshot,
  PresenceUnavailableError,
  type Readiness,
  type VersionedPresence,
} from "../presence/presence-platform.ts";
import type { Session } from "../sessions/sessions.ts";
import { Connection, type ConnectionOptions, type Subscription } from "./connection.ts";
import { EventLog } from "./event-log.ts";
import type { EventSink } from "./event-sink.ts";
import { FlushScheduler } from "./flush-scheduler.ts";
import { PingWatchdog } from "./ping-watchdog.ts";
import { PushRegistry } from "./push-registry.ts";
import { encodeFrame, encodeRetry, encodeSnapshot } from "./sse.ts";

/** Bounds and times of the stream; ms and bytes. */
export interface PushLimits {
  /** How many bytes of changes may wait for one connection, beside its snapshot. */
  maxWaitingBytes: number;
  /** After how long without progress a slow reader is cut. */
  maxStalledMs: number;
  /** How many events are kept for readers who come back. */
  eventLogCapacity: number;
}

const DEFAULT_PUSH_LIMITS: PushLimits = {
  maxWaitingBytes: 256 * 1024,
  maxStalledMs: 30_000,
  eventLogCapacity: 10_000,
};

const FLUSH_WINDOWS = { maxDelayMs: 5, maxDelayUnderLagMs: 100 };
const MAX_HELD_EVENTS = 10_000;
/** Keep-alives are due at most every 15 s; they are spread, so that not all connections are written to at once. */
const KEEP_ALIVE_MS = { least: 9_000, most: 13_000 };
/** When readers are to come back who have lost their server: spread out, and well before the shortest of leases ends. */
const RETRY_INTERVALS = { least: 0.1, most: 0.3 };
const LONGEST_RETRY_MS = { least: 1_000, most: 3_000 };
/**
 * A browser is taken for gone after this many intervals without a ping. With the lease on top, others learn of it within
 * 1.3 + 1.5 intervals and one inspection: inside the three that are promised.
 */
const GHOST_INTERVALS = 1.3;
const INSPECTIONS_PER_INTERVAL = 20;
/** Between the check of a token and the opening of its stream there is less time than this. */
const OPENING_MS = 60_000;
/** How often some of the readers are sent elsewhere, while a server drains. */
const DRAIN_STEP_MS = 100;
const INSPECTION_MS = { least: 10, most: 250 };

export interface PushHubDependencies {
  platform: PresencePlatform;
  metrics: Metrics;
  logger: Logger;
  limits?: Partial<PushLimits>;
}

/** How a server empties itself; ms. */
export interface DrainPace {
  /** How long nothing happens yet but that it is no longer ready, so that proxies send nobody new. */
  noticeMs: number;
  /** Over how long its readers are then sent elsewhere, evenly. */
  spreadMs: number;
}

/** This server is emptying itself: a stream has to be asked for elsewhere. */
export class DrainingError extends Error {
  constructor() {
    super("this server is being stopped, and sends its readers elsewhere");
    this.name = "DrainingError";
  }
}

/** A stream that is asked for. */
export interface OpenRequest {
  subscription: Subscription;
  sink: EventSink;
  /** The last `id:` that its reader saw. */
  lastEventId: string | undefined;
}

/** Holds this server's connections, and takes each presence event to those who may see it. */
export class PushHub {
  readonly #platform: PresencePlatform;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #limits: PushLimits;
  readonly #registry = new PushRegistry();
  readonly #scheduler = new FlushScheduler(FLUSH_WINDOWS);
  readonly #connectionOptions: ConnectionOptions;
  #log: EventLog;
  readonly #watchdogs = new Map<string, Set<PingWatchdog>>();
  /** Sessions signed out lately: a token may have been found good just before, and its stream be about to open. */
  readonly #signedOut = new Map<string, number>();
  readonly #unsubscribe: () => void;
  readonly #inspection: NodeJS.Timeout;
  readonly #inspectionMs: number;
  readonly #retryMs: Range;
  #lastInspectionMs = performance.now();
  /** Which connections share one response. */
  readonly #companions = new WeakMap<Connection, readonly Connection[]>();
  #draining: "not" | "noticed" | "refusing" = "not";

  constructor({ platform, metrics, logger, limits }: PushHubDependencies) {
    this.#platform = platform;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#limits = { ...DEFAULT_PUSH_LIMITS, ...limits };
    this.#connectionOptions = {
      scheduler: this.#scheduler,
      maxWaitingBytes: this.#limits.maxWaitingBytes,
      maxHeldEvents: MAX_HELD_EVENTS,
    };
    this.#log = new EventLog(platform.head(), this.#limits.eventLogCapacity);
    this.#unsubscribe = platform.subscribe({
      onEvents: (events) => this.#push(events),
      onGap: () => this.#resync(),
      onLost: () => this.#endAll("unreadable"),
    });
    this.#retryMs = retryRangeMs(platform.heartbeatIntervalMs);
    this.#inspectionMs = clamp(platform.heartbeatIntervalMs / INSPECTIONS_PER_INTERVAL, INSPECTION_MS);
    this.#inspection = setInterval(() => this.#inspect(), this.#inspectionMs);
  }

  /** `d`, in ms: a browser pings a few times within it. */
  get heartbeatIntervalMs(): number {
    return this.#platform.heartbeatIntervalMs;
  }

  /** Whether this server should be sent clients, and if not, why, in words for an operator. */
  readiness(): Readiness {
    if (this.#draining !== "not") return { ready: false, reason: new DrainingError().message };
    return this.#platform.readiness();
  }

  /**
   * @throws {PresenceUnavailableError} where a stream would have nothing to tell
   * @throws {DrainingError} where it would be sent elsewhere at once
   */
  requireReady(): void {
    if (this.#draining === "refusing") throw new DrainingError();
    const readiness = this.#platform.readiness();
    if (!readiness.ready) throw new PresenceUnavailableError(readiness.reason);
  }

  /** As `openAll`, for one connection. */
  open(subscription: Subscription, sink: EventSink, lastEventId: string | undefined): void {
    this.openAll([{ subscription, sink, lastEventId }]);
  }

  /**
   * Opens connections: their clients are `ONLINE` from here on, and each stream begins with what it missed since its
   * `lastEventId`, or with a snapshot where that can't be proven complete.
   *
   * No stream begins before all clients are there: people who come back together, to a server that knows nothing of
   * them, have not seen each other leave.
   */
  openAll(requests: readonly OpenRequest[]): void {
    const connections = requests.map(({ subscription, sink }) => this.#join(subscription, sink));
    if (connections.length > 1) for (const connection of connections) this.#companions.set(connection, connections);
    this.#countConnections();
    connections.forEach((connection, index) => {
      const lastEventId = requests[index]?.lastEventId;
      void this.#begin(connection, lastEventId === undefined ? undefined : parseEventId(lastEventId));
    });
  }

  /** Starts to expect pings under `pingId` for the streams of these clients. */
  expectPings(pingId: string): PingWatchdog {
    const watchdog = new PingWatchdog(pingId, performance.now());
    const namesakes = this.#watchdogs.get(pingId);
    if (namesakes) namesakes.add(watchdog);
    else this.#watchdogs.set(pingId, new Set([watchdog]));
    return watchdog;
  }

  stopExpectingPings(watchdog: PingWatchdog): void {
    const namesakes = this.#watchdogs.get(watchdog.pingId);
    namesakes?.delete(watchdog);
    if (namesakes?.size === 0) this.#watchdogs.delete(watchdog.pingId);
  }

  /** @returns whether there is a response of that name that carries the client's stream */
  ping(pingId: string, client: ClientId): boolean {
    const pinged = [...(this.#watchdogs.get(pingId) ?? [])].filter(({ clients }) => clients.has(client));
    for (const watchdog of pinged) watchdog.ping(performance.now());
    return pinged.length > 0;
  }

  /** Presence of everyone whom the list's owner may see now. */
  read(list: ContactList): Promise<PresenceSnapshot> {
    return this.#platform.read(list).then((reading) => withoutOwner(reading, list));
  }

  /** Ends the connections opened with the session's token, and those just being opened; the client is `OFFLINE` at once unless others remain. */
  async signOut({ client, key }: Session): Promise<void> {
    this.#signedOut.set(key, performance.now());
    const own = [...this.#registry.connectionsOf(client)].filter(({ subscription }) => subscription.sessionKey === key);
    for (const connection of own)
      connection.end("signed-out", { problem: createProblem("urn:presence:problem:signed-out") });
    // A sink closes when its last bytes have gone; who signed out is gone now.
    for (const connection of own) this.#close(connection);
    if (this.#registry.connectionsOf(client).size === 0) await this.#platform.leave(client);
  }

  /**
   * Sends everybody elsewhere, a few at a time: each is asked to come back after a time of its own, with a whole lease to
   * do so. Meanwhile all goes on for those who are still here. Who comes during the notice is let in, as some readers
   * (`EventSource`) take a refusal for an end; after it, a proxy has had time to see that this server is not ready.
   *
   * @returns when nobody is left
   */
  async drain({ noticeMs, spreadMs }: DrainPace): Promise<void> {
    this.#draining = "noticed";
    const startMs = performance.now() + noticeMs;
    while (performance.now() < startMs && this.#registry.connectionCount > 0) await delay(DRAIN_STEP_MS);
    this.#draining = "refusing";
    const sent = new Set<Connection>();
    for (;;) {
      const here = [...this.#registry.connections()].filter((connection) => !sent.has(connection));
      if (here.length === 0) return;
      const stepsLeft = (startMs + spreadMs - performance.now()) / DRAIN_STEP_MS;
      for (const connection of here.slice(0, shareOf(here.length, stepsLeft))) {
        for (const companion of this.#companions.get(connection) ?? [connection]) {
          if (sent.has(companion)) continue;
          sent.add(companion);
          this.#platform.renew(companion.subscription.client);
          this.#sendElsewhere(companion, "shutting-down");
        }
      }
      await delay(DRAIN_STEP_MS);
    }
  }

  /** Ends all connections, asking their readers to come back at different times. */
  close(): void {
    clearInterval(this.#inspection);
    this.#unsubscribe();
    this.#endAll("shutting-down");
  }

  #endAll(reason: "shutting-down" | "unreadable"): void {
    for (const connection of [...this.#registry.connections()]) this.#sendElsewhere(connection, reason);
  }

  #sendElsewhere(connection: Connection, reason: "shutting-down" | "unreadable"): void {
    const problem = createProblem(`urn:presence:problem:${reason === "shutting-down" ? reason : "presence-lost"}`);
    connection.end(reason, { lastWord: encodeRetry(between(this.#retryMs)), problem });
  }

  #join(subscription: Subscription, sink: EventSink): Connection {
    const connection = new Connection(subscription, sink, this.#connectionOptions, between(KEEP_ALIVE_MS));
    this.#registry.add(connection);
    sink.onClose(() => this.#close(connection));
    this.#platform.watch(subscription.list);
    if (this.#signedOut.has(subscription.sessionKey ?? ""))
      connection.end("signed-out", { problem: createProblem("urn:presence:problem:signed-out") });
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
    this.#countConnections();
  }

  #push(events: readonly PresenceEvent[]): void {
    const [first] = events;
    // Of those that come together the first has waited the longest.
    if (first) this.#scheduler.noteLateness(this.#platform.clockMs() - first.at + (first.lagMs ?? 0));
    for (const event of events) {
      this.#log.append(event);
      this.#metrics.countEvent(event);
      this.#deliver(event);
    }
  }

  /** Events were missed: nobody's place in their order can be trusted. */
  #resync(): void {
    this.#log = new EventLog(this.#platform.head(), this.#limits.eventLogCapacity);
    for (const connection of this.#registry.connections()) void this.#sendSnapshot(connection, "gap");
  }

  #deliver(event: PresenceEvent): void {
    let frame: Buffer | undefined;
    let deliveries = 0;
    this.#registry.forEachWatcherOf(event.client, { isGuest: event.guest }, (connection) => {
      frame ??= this.#presenceFrame(event);
      if (connection.deliver(event, frame)) this.#metrics.lagged.inc();
      deliveries += 1;
    });
    if (deliveries > 0) this.#metrics.countDeliveries(deliveries, this.#platform.clockMs() - event.at);
  }

  #presenceFrame({ client, status, at, version }: PresenceEvent): Buffer {
    return presenceFrame({ client, status, since: at, version }, this.#platform.head().epoch);
  }

  /** Sends what the reader missed, if the log or presence itself can prove it, else a snapshot. */
  async #begin(connection: Connection, id: EventId | undefined): Promise<void> {
    if (!(id && this.#resumeFromLog(connection, id))) await this.#sendPlace(connection, id, "fresh");
  }

  /** @returns whether what the reader missed could be proven, and was sent */
  #resumeFromLog(connection: Connection, id: EventId): boolean {
    const { list } = connection.subscription;
    if (id.version < this.#platform.watchedSince(list)) return false;
    const missed = this.#log.after(id, this.#platform.head());
    if (!missed) return false;
    const frames = missed.filter((event) => isVisible(event, list)).map((event) => this.#presenceFrame(event));
    const position = missed.at(-1)?.version ?? id.version;
    connection.goLive(connection.startJoining(), [encodeRetry(between(this.#retryMs)), ...frames], position);
    this.#metrics.resumes.inc();
    return true;
  }

  #sendSnapshot(connection: Connection, cause: SnapshotCause): Promise<void> {
    return this.#sendPlace(connection, undefined, cause);
  }

  /** Reads presence, and sends a snapshot of it, or what has changed since `id` where that tells the same. */
  async #sendPlace(connection: Connection, id: EventId | undefined, cause: SnapshotCause): Promise<void> {
    const joining = connection.startJoining();
    const { list } = connection.subscription;
    let reading: PresenceSnapshot;
    try {
      reading = await this.read(list);
    } catch (error) {
      this.#logger.warn({ err: error }, "presence could not be read for a snapshot");
      connection.end("unreadable", { problem: createProblem("urn:presence:problem:presence-lost") });
      return;
    }
    const frames = id && provesSince(reading, id) ? this.#changeFrames(reading, id) : undefined;
    const opening = frames ?? [snapshotFrame(reading)];
    if (cause === "fresh") opening.unshift(encodeRetry(between(this.#retryMs)));
    connection.goLive(joining, opening, reading.id.version);
    if (frames) this.#metrics.resumes.inc();
    else this.#metrics.countSnapshot(cause);
  }

  #changeFrames({ presences }: PresenceSnapshot, id: EventId): Buffer[] {
    const changed = presences.filter(({ version }) => version > id.version).sort((a, b) => a.version - b.version);
    return changed.map((presence) => presenceFrame(presence, id.epoch));
  }

  #inspect(): void {
    const nowMs = performance.now();
    const sleptMs = nowMs - this.#lastInspectionMs - this.#inspectionMs;
    this.#lastInspectionMs = nowMs;
    // Who could not listen can't say that others were silent.
    if (sleptMs > this.heartbeatIntervalMs / 2) for (const watchdog of this.#allWatchdogs()) watchdog.ping(nowMs);
    for (const [key, signedOutMs] of this.#signedOut) {
      if (nowMs - signedOutMs > OPENING_MS) this.#signedOut.delete(key);
    }
    const now = Date.now();
    for (const connection of [...this.#registry.connections()]) this.#inspectConnection(connection, nowMs, now);
  }

  #inspectConnection(connection: Connection, nowMs: number, now: number): void {
    const { watchdog, expiresAt } = connection.subscription;
    if (watchdog && watchdog.silenceMs(nowMs) > GHOST_INTERVALS * this.heartbeatIntervalMs) connection.destroy("ghost");
    else if (connection.stalledMs(nowMs) > this.#limits.maxStalledMs) connection.destroy("stalled");
    else if (expiresAt !== undefined && expiresAt <= now)
      connection.end("token-expired", { problem: createProblem("urn:presence:problem:token-expired") });
    else if (connection.isReadyToRejoin) void this.#sendSnapshot(connection, "lagged");
    else connection.keepAlive(nowMs);
  }

  *#allWatchdogs(): Generator<PingWatchdog> {
    for (const namesakes of this.#watchdogs.values()) yield* namesakes;
  }

  #countConnections(): void {
    this.#metrics.connections.set(this.#registry.connectionCount);
    this.#metrics.clients.set(this.#registry.clientCount);
  }
}

function isVisible({ client, guest }: PresenceEvent, list: ContactList): boolean {
  return client !== list.owner && ((guest && list.guests) || list.everyone || list.contacts.has(client));
}

function withoutOwner(reading: PresenceSnapshot, { owner }: ContactList): PresenceSnapshot {
  return { ...reading, presences: reading.presences.filter(({ client }) => client !== owner) };
}

/** Whether all that has happened since `id` shows in the reading: nobody changed twice. */
function provesSince({ id: now, completeSince, presences }: PresenceSnapshot, id: EventId): boolean {
  if (id.epoch !== now.epoch || id.version < completeSince || id.version > now.version) return false;
  return presences.every(({ version, previousVersion }) => version <= id.version || previousVersion <= id.version);
}

type TellablePresence = Omit<VersionedPresence, "previousVersion">;

function presenceFrame({ client, status, since, version }: TellablePresence, epoch: string): Buffer {
  const data: PresenceMessage = { client, status, since };
  return encodeFrame({ id: formatEventId({ epoch, version }), event: "presence", data });
}

function snapshotFrame({ at, id, presences }: PresenceSnapshot): Buffer {
  return encodeSnapshot(formatEventId(id), at, presences);
}

/** How many of these are due in one step, so that the steps that are left take about as many each. */
function shareOf(count: number, stepsLeft: number): number {
  return stepsLeft <= 1 ? count : Math.ceil(count / stepsLeft);
}

interface Range {
  least: number;
  most: number;
}

function retryRangeMs(heartbeatIntervalMs: number): Range {
  return {
    least: Math.min(LONGEST_RETRY_MS.least, Math.ceil(RETRY_INTERVALS.least * heartbeatIntervalMs)),
    most: Math.min(LONGEST_RETRY_MS.most, Math.floor(RETRY_INTERVALS.most * heartbeatIntervalMs)),
  };
}

function between({ least, most }: Range): number {
  return least + Math.floor(Math.random() * (most - least + 1));
}

function clamp(value: number, { least, most }: Range): number {
  return Math.min(most, Math.max(least, value));
}
