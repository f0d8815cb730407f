import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ConnectRedis,
  createConnection,
  type Partition,
  PresenceFunctions,
  type ReadReply,
} from "@presence/gears";
import type { ClientId, EventId, PresenceEvent } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { CallBatcher } from "../../batching/call-batcher.ts";
import { unwrapReply } from "../../redis/unwrap-reply.ts";
import {
  type Interest,
  type PresenceListener,
  type PresencePlatform,
  type PresenceSnapshot,
  PresenceUnavailableError,
  type Readiness,
} from "../presence-platform.ts";
import { randomEpoch } from "../random-epoch.ts";
import { ClockEstimate } from "./clock-estimate.ts";
import type { DownstreamEvent } from "./downstream-entry.ts";
import { DownstreamPosition, headOf } from "./downstream-position.ts";
import { DownstreamReader } from "./downstream-reader.ts";
import { type HeartbeatOutcome, HeartbeatSender } from "./heartbeat-sender.ts";
import { InterestLedger } from "./interest-ledger.ts";
import { toSnapshot } from "./redis-snapshot.ts";

const RETRY_MS = 200;
/** Number of clients from which on a call to `read` accepts no more: Redis is blocked during the call. */
const MAX_READ_BATCH_SIZE = 2_000;
/** After this many intervals without a read of its stream, a server reports presence as lost. */
const LOST_INTERVALS = 1;
/** After Redis lost its data, all servers have sent their heartbeats again within one interval; plus a margin. */
const REPORT_INTERVALS = 1.25;

export interface RedisPresenceOptions {
  redisUrl: string;
  serverId: string;
  heartbeatIntervalMs: number;
  logger: Logger;
  connect?: ConnectRedis;
  /** Replaces the functions that Redis offers. */
  functions?: PresenceFunctions;
  metrics?: RedisPresenceMetrics;
  /** The partition of a cluster that this platform uses. */
  partition?: Partition;
  /** Takes a position in a common event order. `watchedSince` then returns positions of that order. */
  nextPosition?: () => number;
}

export interface RedisPresenceMetrics {
  /** Called for each expired lease with the delay between its deadline and the `OFFLINE` event, in ms. */
  onOfflineLag(lagMs: number): void;
  /** Called for each heartbeat entry, whether sent or failed. */
  onHeartbeat(outcome: HeartbeatOutcome, clientCount: number): void;
  /** Called for each gap in the events that was closed with snapshots. */
  onGap(): void;
}

const NO_METRICS: RedisPresenceMetrics = { onOfflineLag: () => {}, onHeartbeat: () => {}, onGap: () => {} };

/**
 * The presence platform in Redis, as one server uses it. Heartbeats go to the stream `heartbeat`; events come back on the
 * stream `presence.{server}`.
 */
export class RedisPresencePlatform implements PresencePlatform {
  readonly heartbeatIntervalMs: number;
  readonly #serverId: string;
  readonly #logger: Logger;
  readonly #metrics: RedisPresenceMetrics;
  readonly #nextPosition: (() => number) | undefined;
  readonly #functions: PresenceFunctions;
  readonly #commands: Redis;
  readonly #blocking: Redis;
  readonly #heartbeats: HeartbeatSender;
  readonly #reader: DownstreamReader;
  readonly #interest = new InterestLedger();
  readonly #reads = new CallBatcher((clients) => this.#syncInterest(clients), MAX_READ_BATCH_SIZE);
  readonly #clock = new ClockEstimate();
  readonly #listeners = new Set<PresenceListener>();
  readonly #stopping = new AbortController();
  /** Emits `delivered` after listeners received entries. Each pending `readAfterDelivery` listens, so there is no limit. */
  readonly #progress = new EventEmitter().setMaxListeners(0);
  readonly #maintenance: NodeJS.Timeout;
  readonly #position: DownstreamPosition;
  #lastReadMs = performance.now();
  /** The last read after which listeners had received every event. */
  #completeUntilMs = performance.now();
  /** Listeners were told that presence can't be read, and have not been told to read it again yet. */
  #isLost = false;
  #isClosingGap = false;
  /** Entries that arrived while a gap was being closed. */
  #deferredEntries: DownstreamEvent[] = [];
  /** Redis lost its data, and some servers may not have sent their heartbeats again yet. */
  #isIncomplete = false;
  #reading: Promise<void> = Promise.resolve();

  private constructor(options: RedisPresenceOptions, { functions, commands, blocking, reply }: Resources) {
    const { serverId, heartbeatIntervalMs, logger, metrics = NO_METRICS } = options;
    this.heartbeatIntervalMs = heartbeatIntervalMs;
    this.#serverId = serverId;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#nextPosition = options.nextPosition;
    this.#functions = functions;
    this.#commands = commands;
    this.#blocking = blocking;
    this.#position = new DownstreamPosition(reply);
    this.#heartbeats = new HeartbeatSender({
      redis: commands,
      server: serverId,
      heartbeatIntervalMs,
      logger,
      onHeartbeat: (outcome, clientCount) => metrics.onHeartbeat(outcome, clientCount),
    });
    this.#reader = new DownstreamReader(blocking, serverId);
    this.#commands.on("ready", () => this.#onReconnect());
    this.#maintenance = setInterval(() => this.#runMaintenance(), heartbeatIntervalMs);
  }

  /**
   * Registers this server with the platform.
   *
   * @throws if Redis can't be reached or refuses the library
   */
  static async connect(options: RedisPresenceOptions): Promise<RedisPresencePlatform> {
    const { redisUrl, serverId, heartbeatIntervalMs, logger, connect = createConnection } = options;
    const [commands, blocking] = ["server", "downstream"].map((name) =>
      connect(redisUrl, `presence-${name}`, logger, options.partition),
    );
    if (!commands || !blocking) throw new Error("unreachable");
    try {
      await Promise.all([commands.connect(), blocking.connect()]);
      const functions = options.functions ?? (await PresenceFunctions.connect(commands, heartbeatIntervalMs, logger));
      // Removes the state of an earlier server with the same id.
      await functions.forget(serverId);
      await functions.join(serverId);
      const reply = await functions.read(serverId, randomEpoch(), [], []);
      const platform = new RedisPresencePlatform(options, { functions, commands, blocking, reply });
      platform.#reading = platform.#readDownstream();
      return platform;
    } catch (error) {
      commands.disconnect();
      blocking.disconnect();
      throw error;
    }
  }

  connect(client: ClientId): void {
    this.#heartbeats.add(client);
  }

  renew(client: ClientId): void {
    this.#heartbeats.renew(client);
  }

  disconnect(client: ClientId): void {
    this.#heartbeats.remove(client);
  }

  async leave(client: ClientId): Promise<void> {
    this.#heartbeats.cancel(client);
    await unwrapReply(this.#functions.leave(this.#serverId, client));
  }

  watch(interest: Interest): void {
    this.#interest.add(interest);
    // Joins the batch of the `read` that usually follows.
    if (this.#interest.hasPending) this.#reads.load([]).catch(() => {});
  }

  unwatch(interest: Interest): void {
    this.#interest.remove(interest);
  }

  watchedSince(interest: Interest): number {
    return this.#interest.since(interest);
  }

  async read(interest: Interest): Promise<PresenceSnapshot> {
    return toSnapshot(await this.#load(interest), interest);
  }

  /**
   * Like `read`, but resolves only after listeners have received every event that the snapshot contains.
   *
   * @throws {PresenceUnavailableError}
   */
  async readAfterDelivery(interest: Interest): Promise<PresenceSnapshot> {
    const reply = await this.#load(interest);
    await this.#waitForDelivery(reply.sequence);
    return toSnapshot(reply, interest);
  }

  #load({ contacts }: Interest): Promise<ReadReply> {
    const readiness = this.readiness();
    if (!readiness.ready) return Promise.reject(new PresenceUnavailableError(readiness.reason));
    return unwrapReply(this.#reads.load(contacts));
  }

  /** Waits until listeners received this entry, or a snapshot made it obsolete. */
  async #waitForDelivery(sequence: number): Promise<void> {
    const timeout = AbortSignal.timeout(this.heartbeatIntervalMs);
    while (this.#position.sequence < sequence || this.#isClosingGap) {
      try {
        this.#stopping.signal.throwIfAborted();
        await once(this.#progress, "delivered", { signal: timeout });
      } catch (error) {
        throw new PresenceUnavailableError("events are missing", { cause: error });
      }
    }
  }

  #confirmInterest(names: readonly string[], { version }: ReadReply): void {
    this.#interest.confirm(names, this.#nextPosition?.() ?? Number(version));
  }

  /** Redis's clock; this machine's clock before the first reply. */
  clockMs(): number {
    return this.#clock.at(performance.now()) ?? Date.now();
  }

  completeUntilMs(): number {
    const ageMs = performance.now() - this.#completeUntilMs;
    return Math.round(this.clockMs() - ageMs);
  }

  head(): EventId {
    return this.#position.head;
  }

  subscribe(listener: PresenceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readiness(): Readiness {
    if (this.#commands.status === "ready" && this.#isIncomplete) {
      return { ready: false, reason: "Redis lost its data; waiting for the heartbeats of the other servers" };
    }
    if (this.#isLost || this.#commands.status !== "ready") return { ready: false, reason: "Redis can't be reached" };
    return { ready: true };
  }

  /** Time since the last successful read of this server's stream, in ms. Without events a read takes up to one second. */
  get silenceMs(): number {
    return performance.now() - this.#lastReadMs;
  }

  /** Also deletes this server's keys in Redis. */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#progress.emit("delivered");
    clearInterval(this.#maintenance);
    this.#heartbeats.stop();
    this.#listeners.clear();
    await this.#functions.forget(this.#serverId).catch(() => {});
    this.#commands.disconnect();
    this.#blocking.disconnect();
    await this.#reading;
  }

  /** Subscribes to the pending names and reads the presence of `clients`, in one atomic call. */
  async #syncInterest(clients: readonly ClientId[] = []): Promise<ReadReply> {
    const names = this.#interest.takePending();
    const requestedMs = performance.now();
    try {
      const reply = await this.#functions.read(this.#serverId, randomEpoch(), names, clients);
      this.#clock.observe(reply.nowMs, requestedMs, performance.now());
      this.#confirmInterest(names, reply);
      this.#position.advance(headOf(reply));
      if (!reply.isKnown) void this.#closeGap("Redis has no record of this server");
      else if (reply.epoch !== this.#position.head.epoch) void this.#closeGap("the event order restarted");
      return reply;
    } catch (error) {
      this.#interest.fail(names);
      throw error;
    }
  }

  async #readDownstream(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const entries = await this.#reader.read();
        this.#lastReadMs = performance.now();
        if (this.#isLost) void this.#closeGap("Redis did not answer for too long");
        this.#process(entries.filter((entry) => entry !== undefined));
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.debug({ err: error }, "the server's stream could not be read; trying again");
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  #process(entries: readonly DownstreamEvent[]): void {
    if (this.#isClosingGap) {
      this.#deferredEntries.push(...entries);
      return;
    }
    const { events, hasGap } = this.#position.accept(entries);
    if (hasGap) void this.#closeGap("entries of this server's stream are missing");
    else this.#completeUntilMs = this.#lastReadMs;
    for (const { lagMs } of events) if (lagMs !== undefined) this.#metrics.onOfflineLag(lagMs);
    this.#publish(events);
    this.#progress.emit("delivered");
  }

  #publish(events: readonly PresenceEvent[]): void {
    const last = events.at(-1);
    if (!last) return;
    this.#position.advance({ epoch: this.#position.head.epoch, version: last.version });
    for (const listener of this.#listeners) listener.onEvents(events);
  }

  /** Redis may have restarted without its data, or another Redis may have taken over. */
  #onReconnect(): void {
    this.#heartbeats.sendAll();
    void this.#closeGap("the connection to Redis was lost");
  }

  /** Runs once per interval. */
  #runMaintenance(): void {
    if (this.silenceMs > LOST_INTERVALS * this.heartbeatIntervalMs + 1_000 && !this.#isLost) {
      this.#isLost = true;
      for (const listener of this.#listeners) listener.onLost();
    }
    this.#checkConsistency().catch((error: unknown) =>
      this.#logger.debug({ err: error }, "the consistency check failed"),
    );
  }

  /** Unsubscribes unused names, and checks that Redis knows this server and that all its events arrive. */
  async #checkConsistency(): Promise<void> {
    const unused = this.#interest.takeUnused();
    if (unused.length > 0) await this.#functions.unwatch(this.#serverId, unused);
    const before = this.#position.sequence;
    const reply = await this.#syncInterest();
    if (reply.sequence < before) await this.#closeGap("Redis has lost events");
    else this.#expectDelivery(reply.sequence);
  }

  /** Closes a gap if an entry that is already on the stream is not read within half an interval. */
  #expectDelivery(sequence: number): void {
    const timer = setTimeout(() => {
      if (this.#position.sequence < sequence) void this.#closeGap("entries of this server's stream are missing");
    }, this.heartbeatIntervalMs / 2);
    timer.unref();
  }

  /**
   * Registers this server and its interest again, and makes listeners read new snapshots. Entries that arrive meanwhile
   * are processed afterwards.
   */
  async #closeGap(reason: string): Promise<void> {
    if (this.#isClosingGap) return;
    this.#isClosingGap = true;
    try {
      const found = await this.#functions.read(this.#serverId, randomEpoch(), [], []);
      await this.#functions.join(this.#serverId);
      this.#interest.reset();
      // A new epoch, and no record of this server: Redis lost all its data.
      if (!found.isKnown && found.epoch !== this.#position.head.epoch) await this.#waitForHeartbeats();
      await this.#resync();
      this.#metrics.onGap();
      this.#logger.warn({ reason }, "a gap in the events was closed with snapshots");
    } catch (error) {
      // The consistency check finds the gap again within an interval.
      this.#deferredEntries = [];
      this.#logger.debug({ err: error, reason }, "a gap could not be closed yet");
    } finally {
      this.#isClosingGap = false;
      this.#isIncomplete = false;
    }
    this.#process(this.#deferredEntries.splice(0));
  }

  /** Until all servers have sent their heartbeats again, a client without a lease may still be connected to one of them. */
  async #waitForHeartbeats(): Promise<void> {
    this.#isIncomplete = true;
    this.#heartbeats.sendAll();
    const { signal } = this.#stopping;
    await delay(REPORT_INTERVALS * this.heartbeatIntervalMs, undefined, { signal });
  }

  async #resync(): Promise<void> {
    const names = this.#interest.takePending();
    const reply = await this.#functions.read(this.#serverId, randomEpoch(), names, []);
    this.#confirmInterest(names, reply);
    const isOtherOrder = reply.epoch !== this.#position.head.epoch || reply.sequence < this.#position.sequence;
    if (isOtherOrder) this.#reader.restart();
    this.#position.reset(reply);
    this.#isLost = false;
    this.#isIncomplete = false;
    for (const listener of this.#listeners) listener.onGap();
  }
}

/** Created by `connect`. */
interface Resources {
  functions: PresenceFunctions;
  commands: Redis;
  blocking: Redis;
  reply: ReadReply;
}
