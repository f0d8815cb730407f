import { setTimeout as delay } from "node:timers/promises";
import { downstreamKey, HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { PresenceFunctions } from "../src/host/presence-functions.ts";
import { connected } from "../src/host/redis-connection.ts";
import { BATCH_OF_KEY, DEADLINES_KEY, STATE_KEY } from "../src/presence/keys.ts";
import type { LoadRuntime, TestedRedis, Triggers } from "./runtimes.ts";

/** `d` of the tests, in ms: the clock may stall for three tenths of it before that counts as an outage. */
export const INTERVAL_MS = 2000;
export const LEASE_MS = 3000;
const PATIENCE_MS = 25_000;
const SWEEP_PAUSE_MS = 15;

/** One entry of a server's downstream. */
export interface Announcement {
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
 * The presence platform on one of its runtimes, with the triggers and the clock in the test's hand: nothing happens but
 * what the test asks for, except that time passes.
 */
export class TestPlatform {
  /** Any client of Redis: a server in another language, or a hand at `redis-cli`. */
  readonly redis: Redis;
  readonly server: TestedRedis;
  readonly #triggers: Triggers;
  /** What the clock takes for the name of Redis's run. */
  run = "run-1";

  private constructor(server: TestedRedis, redis: Redis, triggers: Triggers) {
    this.server = server;
    this.redis = redis;
    this.#triggers = triggers;
  }

  /** On a Redis that is emptied. */
  static async start(server: TestedRedis, load: LoadRuntime, intervalMs = INTERVAL_MS): Promise<TestPlatform> {
    const redis = server.connect();
    await connected(redis);
    await redis.flushall();
    await redis.config("SET", "notify-keyspace-events", "");
    redis.disconnect();
    return await TestPlatform.join(server, load, intervalMs);
  }

  /** On a Redis as it is. */
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

  /** What triggers have thrown. */
  get errors(): readonly unknown[] {
    return this.#triggers.errors;
  }

  /** Until all triggers have fired that anything up to now is to fire. */
  async settle(): Promise<void> {
    await this.#triggers.settle();
  }

  /** Redis's clock, in ms since the epoch. */
  async now(): Promise<number> {
    const [seconds, microseconds] = await this.redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  /**
   * A server's heartbeat, as of `ageMs` ago, and all it triggers.
   *
   * @returns the time in its entry's id
   */
  async heartbeat(server: string, clients: readonly string[], ageMs = 0): Promise<number> {
    const atMs = await this.write(server, clients, ageMs);
    await this.settle();
    return atMs;
  }

  /** As `heartbeat`, but nothing is triggered yet. */
  async write(server: string, clients: readonly string[], ageMs = 0): Promise<number> {
    const id = ageMs === 0 ? "*" : `${(await this.now()) - ageMs}-*`;
    const fields = clients.flatMap((client) => ["client", client]);
    const written = await this.redis.xadd(HEARTBEAT_KEY, id, "server", server, ...fields);
    return Number(written?.split("-")[0]);
  }

  /** A server that says whom it watches. */
  async watch(server: string, watched: readonly string[]): Promise<void> {
    await this.functions.join(server);
    await this.functions.read(server, "epoch", watched, []);
  }

  /** What the deadline clock does when it wakes. */
  async sweep(): Promise<void> {
    for (;;) {
      const { nowMs, nextMs } = await this.functions.sweep(this.run);
      if (nextMs === undefined || nextMs > nowMs) break;
    }
    await this.settle();
  }

  /** When the client is to be looked at, alone or as one of a batch, whichever is first; in ms since the epoch. */
  async deadlineOf(client: string): Promise<number | undefined> {
    const batch = await this.redis.hget(BATCH_OF_KEY, client);
    const scores = await this.redis.zmscore(DEADLINES_KEY, client, batch ?? "");
    const deadlines = scores.filter((score) => score !== null).map(Number);
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  /** Sweeps as often as the clock would, and more, until `isDone`. */
  async sweepUntil(isDone: () => Promise<boolean>): Promise<void> {
    const impatientAt = performance.now() + PATIENCE_MS;
    while (performance.now() < impatientAt) {
      await this.sweep();
      if (await isDone()) return;
      await delay(SWEEP_PAUSE_MS);
    }
    throw new Error("what was waited for did not happen");
  }

  /** Sweeps until Redis's clock has passed `ms`, and once more. */
  async sweepPast(ms: number): Promise<void> {
    await this.sweepUntil(async () => (await this.now()) > ms);
    await this.sweep();
  }

  /** Lets Redis's clock pass `ms` while nobody sweeps. */
  async sleepPast(ms: number): Promise<void> {
    while ((await this.now()) <= ms) await delay(SWEEP_PAUSE_MS);
  }

  /** Until when no end is told, after what looked like an outage; in ms since the epoch. */
  async heldUntil(): Promise<number> {
    return Number(await this.redis.hget(STATE_KEY, "hold"));
  }

  /** The platform's own keys, by the names that it has for them. */
  async keys(pattern: string): Promise<string[]> {
    const prefix = this.redis.options.keyPrefix ?? "";
    const keys = await this.redis.keys(prefix + pattern);
    return keys.map((key) => key.slice(prefix.length));
  }

  async announcements(server: string): Promise<Announcement[]> {
    const entries = await this.redis.xrange(downstreamKey(server), "-", "+");
    return entries.map(([, fields]) => readAnnouncement(fields));
  }

  /** The announcements as `client STATUS reason`. */
  async told(server: string): Promise<string[]> {
    const announcements = await this.announcements(server);
    return announcements.map(({ client, status, reason }) => `${client} ${status} ${reason}`);
  }
}

/** The entry of a downstream stream that has these fields. */
export function readAnnouncement(fields: readonly string[]): Announcement {
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
