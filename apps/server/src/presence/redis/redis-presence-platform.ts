import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ClientRecord,
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
  type VersionedPresence,
} from "../presence-platform.ts";
import { ClockEstimate } from "./clock-estimate.ts";
import type { DownstreamEvent } from "./downstream-entry.ts";
import { DownstreamReader } from "./downstream-reader.ts";
import { type HeartbeatOutcome, HeartbeatSender } from "./heartbeat-sender.ts";
import { InterestLedger } from "./interest-ledger.ts";

const RETRY_MS = 200;
/** Of how many clients one call reads the presence, about: Redis serves nobody else meanwhile. */
const MAX_READ_AT_ONCE = 2_000;
/** A server that can't read presence for so many intervals says so to its readers. */
const LOST_INTERVALS = 1;
/** After Redis has lost its memory, all servers have spoken up within one interval, and some more. */
const SILENT_INTERVALS = 1.25;

export interface RedisPresenceOptions {
  redisUrl: string;
  serverId: string;
  heartbeatIntervalMs: number;
  logger: Logger;
  /** The logic, where it is not what the Redis itself offers. */
  functions?: PresenceFunctions;
  metrics?: RedisPresenceMetrics;
  /** Of a cluster, of which this is a part. */
  partition?: Partition;
  /** Takes a place in the order of events that `watchedSince` is to go by, where that is not this platform's own. */
  takePosition?: () => number;
}

/** What an operator may want to know of it. */
export interface RedisPresenceMetrics {
  /** Told how long after the end of its lease a client's `OFFLINE` was published, in ms. */
  onOfflineLag(lagMs: number): void;
  /** Told of each entry of the heartbeat stream, or of each that could not be written. */
  onHeartbeat(outcome: HeartbeatOutcome, clientCount: number): void;
  /** Told of each gap in the events that was closed with snapshots. */
  onGap(): void;
}

const NO_METRICS: RedisPresenceMetrics = { onOfflineLag: () => {}, onHeartbeat: () => {}, onGap: () => {} };

/**
 * The presence platform that lives in Redis, as one of its servers sees it: heartbeats go up one stream, events come down
 * another.
 */
export class RedisPresencePlatform implements PresencePlatform {
  readonly heartbeatIntervalMs: number;
  readonly #serverId: string;
  readonly #logger: Logger;
  readonly #metrics: RedisPresenceMetrics;
  readonly #takePosition: (() => number) | undefined;
  readonly #functions: PresenceFunctions;
  readonly #commands: Redis;
  readonly #blocking: Redis;
  readonly #heartbeats: HeartbeatSender;
  readonly #reader: DownstreamReader;
  readonly #interest = new InterestLedger();
  readonly #readings = new CallBatcher((clients) => this.#syncInterest(clients), MAX_READ_AT_ONCE);
  readonly #clock = new ClockEstimate();
  readonly #listeners = new Set<PresenceListener>();
  readonly #stopping = new AbortController();
  /** Tells `told` when more of the stream has been told to listeners; as many may wait as there are readers. */
  readonly #progress = new EventEmitter().setMaxListeners(0);
  readonly #maintenance: NodeJS.Timeout;
  #head: EventId;
  /** Entries of this server's stream that were read, or that a reading made needless. */
  #sequence: number;
  /** All events up to here are contained in the reading with which this server began, or began anew. */
  #readVersion: number;
  #lastReadMs = performance.now();
  #isLost = false;
  #isClosingGap = false;
  /** Entries that came while a gap was being closed. */
  #postponed: DownstreamEvent[] = [];
  /** What Redis tells is not yet all there is to tell. */
  #isBlind = false;
  #reading: Promise<void> = Promise.resolve();

  private constructor(options: RedisPresenceOptions, parts: Parts) {
    const { serverId, heartbeatIntervalMs, logger, metrics = NO_METRICS } = options;
    this.heartbeatIntervalMs = heartbeatIntervalMs;
    this.#serverId = serverId;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#takePosition = options.takePosition;
    this.#functions = parts.functions;
    this.#commands = parts.commands;
    this.#blocking = parts.blocking;
    this.#head = headOf(parts.readout);
    this.#sequence = parts.readout.sequence;
    this.#readVersion = this.#head.version;
    this.#heartbeats = new HeartbeatSender({
      redis: parts.commands,
      server: serverId,
      heartbeatIntervalMs,
      logger,
      onHeartbeat: (outcome, clientCount) => metrics.onHeartbeat(outcome, clientCount),
    });
    this.#reader = new DownstreamReader(parts.blocking, serverId);
    this.#commands.on("ready", () => this.#onReconnect());
    this.#maintenance = setInterval(() => this.#runMaintenance(), heartbeatIntervalMs);
  }

  /**
   * Makes this server known to the platform.
   *
   * @throws where Redis can't be reached, or refuses the library
   */
  static async connect(options: RedisPresenceOptions): Promise<RedisPresencePlatform> {
    const { redisUrl, serverId, heartbeatIntervalMs, logger } = options;
    const [commands, blocking] = ["server", "downstream"].map((name) =>
      createConnection(redisUrl, `presence-${name}`, logger, options.partition),
    );
    if (!commands || !blocking) throw new Error("unreachable");
    try {
      await Promise.all([commands.connect(), blocking.connect()]);
      const functions = options.functions ?? (await PresenceFunctions.connect(commands, heartbeatIntervalMs, logger));
      // A server of the same name may have been here before; nothing of it is ours.
      await functions.forget(serverId);
      await functions.join(serverId);
      const readout = await functions.read(serverId, randomEpoch(), [], []);
      const platform = new RedisPresencePlatform(options, { functions, commands, blocking, readout });
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
    this.#heartbeats.repeat(client);
  }

  disconnect(client: ClientId): void {
    this.#heartbeats.remove(client);
  }

  async leave(client: ClientId): Promise<void> {
    this.#heartbeats.withdraw(client);
    await unwrapReply(this.#functions.leave(this.#serverId, client));
  }

  watch(interest: Interest): void {
    this.#interest.add(interest);
    // With the reading that most often follows.
    if (this.#interest.hasPending) this.#readings.ask([]).catch(() => {});
  }

  unwatch(interest: Interest): void {
    this.#interest.remove(interest);
  }

  watchedSince(interest: Interest): number {
    return this.#interest.since(interest);
  }

  async read(interest: Interest): Promise<PresenceSnapshot> {
    const { reading } = await this.#readOnce(interest);
    return reading;
  }

  /**
   * As `read`; by the time it answers, listeners have been told of all that the reading contains.
   *
   * @throws {PresenceUnavailableError}
   */
  async readAfterDelivery(interest: Interest): Promise<PresenceSnapshot> {
    const { reading, sequence } = await this.#readOnce(interest);
    await this.#waitForDelivery(sequence);
    return reading;
  }

  async #readOnce({ contacts, guests }: Interest): Promise<{ reading: PresenceSnapshot; sequence: number }> {
    const readiness = this.readiness();
    if (!readiness.ready) throw new PresenceUnavailableError(readiness.reason);
    const readout = await unwrapReply(this.#readings.ask(contacts));
    const presences: VersionedPresence[] = [];
    contacts.forEach((client) => {
      presences.push(presenceOf(client, readout.records.get(client)));
    });
    if (guests) {
      for (const [guest, record] of readout.guests) {
        if (!contacts.has(guest)) presences.push(presenceOf(guest, record));
      }
    }
    const reading = {
      at: readout.nowMs,
      id: headOf(readout),
      presences,
      completeSince: guests ? Number(readout.lastGuestOfflineVersion) : 0,
    };
    return { reading, sequence: readout.sequence };
  }

  /** Until this entry of the server's stream has been told to listeners, or made needless by a gap. */
  async #waitForDelivery(sequence: number): Promise<void> {
    const givenUp = AbortSignal.timeout(this.heartbeatIntervalMs);
    while (this.#sequence < sequence || this.#isClosingGap) {
      try {
        this.#stopping.signal.throwIfAborted();
        await once(this.#progress, "told", { signal: givenUp });
      } catch (error) {
        throw new PresenceUnavailableError("events are missing", { cause: error });
      }
    }
  }

  #confirmInterest(names: readonly string[], { version }: ReadReply): void {
    this.#interest.confirm(names, this.#takePosition?.() ?? Number(version));
  }

  /** By Redis's clock; by this machine's own until Redis has been asked. */
  clockMs(): number {
    return this.#clock.at(performance.now()) ?? Date.now();
  }

  head(): EventId {
    return this.#head;
  }

  subscribe(listener: PresenceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readiness(): Readiness {
    if (this.#isLost || this.#commands.status !== "ready") return { ready: false, reason: "Redis can't be reached" };
    if (this.#isBlind) return { ready: false, reason: "Redis has lost its memory, and servers have yet to speak up" };
    return { ready: true };
  }

  /** For how long this server has not managed to read its stream, in ms: a read that waits for events is one for up to a second. */
  get silenceMs(): number {
    return performance.now() - this.#lastReadMs;
  }

  /** Says goodbye to the platform too: a server that is gone leaves no keys behind. */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#progress.emit("told");
    clearInterval(this.#maintenance);
    this.#heartbeats.stop();
    this.#listeners.clear();
    await this.#functions.forget(this.#serverId).catch(() => {});
    this.#commands.disconnect();
    this.#blocking.disconnect();
    await this.#reading;
  }

  /** Says whom this server has begun to watch, and reads how things are in the same moment. */
  async #syncInterest(clients: readonly ClientId[] = []): Promise<ReadReply> {
    const names = this.#interest.takePending();
    const askedMs = performance.now();
    try {
      const readout = await this.#functions.read(this.#serverId, randomEpoch(), names, clients);
      this.#clock.observe(readout.nowMs, askedMs, performance.now());
      this.#confirmInterest(names, readout);
      this.#moveOn(headOf(readout));
      if (!readout.isKnown) void this.#closeGap("Redis has forgotten this server");
      else if (readout.epoch !== this.#head.epoch) void this.#closeGap("the order of events was broken");
      return readout;
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
        this.#isLost = false;
        this.#take(entries.filter((entry) => entry !== undefined));
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.debug({ err: error }, "the server's stream could not be read; trying again");
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  #take(entries: readonly DownstreamEvent[]): void {
    if (this.#isClosingGap) {
      this.#postponed.push(...entries);
      return;
    }
    const fresh: PresenceEvent[] = [];
    for (const { sequence, epoch, ...event } of entries) {
      if (event.version <= this.#readVersion || (epoch === this.#head.epoch && sequence <= this.#sequence)) continue;
      if (epoch !== this.#head.epoch || sequence !== this.#sequence + 1) {
        void this.#closeGap("entries of this server's stream are missing");
        break;
      }
      this.#sequence = sequence;
      if (event.lagMs !== undefined) this.#metrics.onOfflineLag(event.lagMs);
      fresh.push(event);
    }
    this.#publish(fresh);
    this.#progress.emit("told");
  }

  #publish(events: readonly PresenceEvent[]): void {
    const last = events.at(-1);
    if (!last) return;
    this.#moveOn({ epoch: this.#head.epoch, version: last.version });
    for (const listener of this.#listeners) listener.onEvents(events);
  }

  /** Another epoch is noticed when the house is kept, and then all begins anew. */
  #moveOn({ epoch, version }: EventId): void {
    if (epoch === this.#head.epoch && version > this.#head.version) this.#head = { epoch, version };
  }

  /** The connection was lost: Redis, or what it knows of this server, may be another. */
  #onReconnect(): void {
    this.#heartbeats.sendAll();
    void this.#closeGap("the connection to Redis was lost");
  }

  /** Once an interval: drops interest that has gone, and looks whether Redis still knows this server. */
  #runMaintenance(): void {
    if (this.silenceMs > LOST_INTERVALS * this.heartbeatIntervalMs + 1_000 && !this.#isLost) {
      this.#isLost = true;
      for (const listener of this.#listeners) listener.onLost();
    }
    void this.#check().catch((error: unknown) => this.#logger.debug({ err: error }, "the platform could not be asked"));
  }

  async #check(): Promise<void> {
    const idle = this.#interest.takeUnused();
    if (idle.length > 0) await this.#functions.unwatch(this.#serverId, idle);
    const before = this.#sequence;
    const readout = await this.#syncInterest();
    if (readout.sequence < before) await this.#closeGap("Redis has forgotten events");
    else this.#expectUpTo(readout.sequence);
  }

  /** What was put on the stream by now has to be read within an interval, or it is missing. */
  #expectUpTo(sequence: number): void {
    const timer = setTimeout(() => {
      if (this.#sequence < sequence) void this.#closeGap("entries of this server's stream are missing");
    }, this.heartbeatIntervalMs / 2);
    timer.unref();
  }

  /** Begins anew: says everything again, and has all readers read afresh. What comes meanwhile is looked at after. */
  async #closeGap(reason: string): Promise<void> {
    if (this.#isClosingGap) return;
    this.#isClosingGap = true;
    try {
      const found = await this.#functions.read(this.#serverId, randomEpoch(), [], []);
      await this.#functions.join(this.#serverId);
      this.#interest.restart();
      // Another order of events, and nothing known of us: Redis remembers nothing at all.
      if (!found.isKnown && found.epoch !== this.#head.epoch) await this.#waitForServers();
      await this.#resync();
      this.#metrics.onGap();
      this.#logger.warn({ reason }, "a gap in the events was closed with snapshots");
    } catch (error) {
      // Once an interval it is looked for again.
      this.#postponed = [];
      this.#logger.debug({ err: error, reason }, "a gap could not be closed yet");
    } finally {
      this.#isClosingGap = false;
      this.#isBlind = false;
    }
    this.#take(this.#postponed.splice(0));
  }

  /** Until every server has said who is connected to it, who is missing may only not have been named yet. */
  async #waitForServers(): Promise<void> {
    this.#isBlind = true;
    this.#heartbeats.sendAll();
    const { signal } = this.#stopping;
    await delay(SILENT_INTERVALS * this.heartbeatIntervalMs, undefined, { signal });
  }

  async #resync(): Promise<void> {
    const names = this.#interest.takePending();
    const readout = await this.#functions.read(this.#serverId, randomEpoch(), names, []);
    this.#confirmInterest(names, readout);
    if (readout.sequence < this.#sequence) this.#reader.restart();
    this.#sequence = readout.sequence;
    this.#head = headOf(readout);
    this.#readVersion = this.#head.version;
    this.#isLost = false;
    this.#isBlind = false;
    for (const listener of this.#listeners) listener.onGap();
  }
}

interface Parts {
  functions: PresenceFunctions;
  commands: Redis;
  blocking: Redis;
  readout: ReadReply;
}

function headOf({ epoch, version }: ReadReply): EventId {
  return { epoch, version: Number(version) };
}

function presenceOf(client: ClientId, record: ClientRecord | undefined): VersionedPresence {
  if (!record) return { client, status: "OFFLINE", since: 0, version: 0, previousVersion: 0 };
  const { status, at, version, previous } = record;
  return { client, status, since: at, version: Number(version), previousVersion: Number(previous) };
}

/** Names an order of events as none was ever named. */
export function randomEpoch(): string {
  return BigInt(`0x${randomBytes(8).toString("hex")}`).toString(36);
}
