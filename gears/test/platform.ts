import { setTimeout as delay } from "node:timers/promises";
import { downstreamKey, HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { PresenceFunctions } from "../src/host/presence-functions.ts";
import { connected } from "../src/host/redis-connection.ts";
import { BATCH_OF_KEY, DEADLINES_KEY, STATE_KEY } from "../src/presence/keys.ts";
import type { LoadRuntime, TestedRedis, Triggers } from "./runtimes.ts";

/** `d` of the tests, in ms. A stall of more than 0.3 × d counts as an outage. */
export const INTERVAL_MS = 2000;
export const LEASE_MS = 3000;
const TIMEOUT_MS = 25_000;
const SWEEP_PAUSE_MS = 15;

/** One entry of a server's stream. */
export interface PublishedEvent {
  client: string;
  status: string;
  at: number;
  reason: string;
  version: number;
  sequence: number;
  due: number | undefined;
  guest: boolean;
}

/**
 * The presence platform on one of its runtimes. The test controls triggers and the deadline clock, so that nothing runs
 * unless the test starts it. Only time passes by itself.
 */
export class TestPlatform {
  /** A plain Redis connection, as external programs use it. */
  readonly redis: Redis;
  readonly server: TestedRedis;
  readonly #triggers: Triggers;

  private constructor(server: TestedRedis, redis: Redis, triggers: Triggers) {
    this.server = server;
    this.redis = redis;
    this.#triggers = triggers;
  }

  /** Starts the platform on an empty Redis. Deletes all data first. */
  static async start(server: TestedRedis, load: LoadRuntime, intervalMs = INTERVAL_MS): Promise<TestPlatform> {
    const redis = server.connect();
    await connected(redis);
    await redis.flushall();
    await redis.config("SET", "notify-keyspace-events", "");
    redis.disconnect();
    return await TestPlatform.join(server, load, intervalMs);
  }

  /** Starts the platform on a Redis with its present data. */
  static async join(server: TestedRedis, load: LoadRuntime, intervalMs = INTERVAL_MS): Promise<TestPlatform> {
    const redis = server.connect();
    await connected(redis);
    return new TestPlatform(server, redis, await load(server, intervalMs));
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.#triggers.stop();
  }

  get functions(): PresenceFunctions {
    return this.#triggers.functions;
  }

  /** The errors that triggers have thrown. */
  get errors(): readonly unknown[] {
    return this.#triggers.errors;
  }

  /** Resolves when all triggers that are due have run. */
  async settle(): Promise<void> {
    await this.#triggers.settle();
  }

  /** Redis's clock, in ms since the epoch. */
  async now(): Promise<number> {
    const [seconds, microseconds] = await this.redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  /**
   * Writes a server's heartbeat, dated `ageMs` ago, and runs the triggers.
   *
   * @returns the time in its entry's id
   */
  async heartbeat(server: string, clients: readonly string[], ageMs = 0): Promise<number> {
    const atMs = await this.write(server, clients, ageMs);
    await this.settle();
    return atMs;
  }

  /** Like `heartbeat`, but runs no triggers. */
  async write(server: string, clients: readonly string[], ageMs = 0): Promise<number> {
    const id = ageMs === 0 ? "*" : `${(await this.now()) - ageMs}-*`;
    const fields = clients.flatMap((client) => ["client", client]);
    const written = await this.redis.xadd(HEARTBEAT_KEY, id, "server", server, ...fields);
    return Number(written?.split("-")[0]);
  }

  /** Registers a server with its interest. */
  async watch(server: string, watched: readonly string[]): Promise<void> {
    await this.functions.join(server);
    await this.functions.read(server, "epoch", watched, []);
  }

  /** Sweeps until nothing is due, like the deadline clock. */
  async sweep(): Promise<void> {
    for (;;) {
      const { nowMs, nextMs } = await this.functions.sweep();
      if (nextMs === undefined || nextMs > nowMs) break;
    }
    await this.settle();
  }

  /** The earlier of the client's own deadline and its batch's, in ms since the epoch. */
  async deadlineOf(client: string): Promise<number | undefined> {
    const batch = await this.redis.hget(BATCH_OF_KEY, client);
    const scores = await this.redis.zmscore(DEADLINES_KEY, client, batch ?? "");
    const deadlines = scores.filter((score) => score !== null).map(Number);
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  /** Sweeps repeatedly until `isDone`. */
  async sweepUntil(isDone: () => Promise<boolean>): Promise<void> {
    const deadlineAt = performance.now() + TIMEOUT_MS;
    while (performance.now() < deadlineAt) {
      await this.sweep();
      if (await isDone()) return;
      await delay(SWEEP_PAUSE_MS);
    }
    throw new Error("the condition was not met in time");
  }

  /**
   * Sweeps until Redis's clock has passed `ms`, and once more. If the machine stalled for so long that the logic took it for
   * an outage, then also until leases end again.
   */
  async sweepPast(ms: number): Promise<void> {
    await this.sweepUntil(async () => (await this.now()) > Math.max(ms, await this.heldUntil()));
    await this.sweep();
  }

  /** Like `sweepPast`, but may return during an outage. */
  async sweepDuringOutage(ms: number): Promise<void> {
    await this.sweepUntil(async () => (await this.now()) > ms);
  }

  /** Waits until Redis's clock has passed `ms`, without sweeps. */
  async sleepPast(ms: number): Promise<void> {
    while ((await this.now()) <= ms) await delay(SWEEP_PAUSE_MS);
  }

  /** The time until which no lease ends because of an outage, in ms since the epoch. */
  async heldUntil(): Promise<number> {
    return Number(await this.redis.hget(STATE_KEY, "hold"));
  }

  /** The platform's keys, without the partition's prefix. */
  async keys(pattern: string): Promise<string[]> {
    const prefix = this.redis.options.keyPrefix ?? "";
    const keys = await this.redis.keys(prefix + pattern);
    return keys.map((key) => key.slice(prefix.length));
  }

  async events(server: string): Promise<PublishedEvent[]> {
    const entries = await this.redis.xrange(downstreamKey(server), "-", "+");
    return entries.map(([, fields]) => parseEvent(fields));
  }

  /** The events as `client STATUS reason`. */
  async published(server: string): Promise<string[]> {
    const events = await this.events(server);
    return events.map(({ client, status, reason }) => `${client} ${status} ${reason}`);
  }
}

/** Parses the fields of a stream entry. */
export function parseEvent(fields: readonly string[]): PublishedEvent {
  const values = new Map<string, string>();
  for (let index = 0; index < fields.length; index += 2) values.set(fields[index] ?? "", fields[index + 1] ?? "");
  const due = values.get("due");
  return {
    client: values.get("client") ?? "",
    status: values.get("status") ?? "",
    at: Number(values.get("at")),
    reason: values.get("reason") ?? "",
    version: Number(values.get("version")),
    sequence: Number(values.get("sequence")),
    due: due === undefined ? undefined : Number(due),
    guest: values.get("guest") === "1",
  };
}
