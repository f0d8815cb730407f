import { setTimeout as delay } from "node:timers/promises";
import { HEARTBEAT_KEY, leaseKey } from "@presence/protocol";
import { RedisServer } from "@presence/testkit";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { BATCH_OF_KEY, batchesKey, changedBatchesKey, DEADLINES_KEY, holdersKey } from "../../src/presence/keys.ts";
import { type PublishedEvent, TestPlatform } from "../platform.ts";
import { type LoadRuntime, RUNTIMES } from "../runtimes.ts";
import { Ambiguous, Model, type Span } from "./model.ts";

const INTERVAL_MS = 300;
const LEASE_MS = 450;
const CLIENTS = ["a", "b", "c", "d"];
const SERVERS = ["s1", "s2", "s3"];
/** How many cases each test compares. */
const CASES_PER_TEST = 2;
/** How long a case may wait for the end of all leases, in ms. Generous, for a busy machine. */
const FINISH_TIMEOUT_MS = 30_000;

type Step =
  | { kind: "heartbeat"; server: string; clients: string[]; ageMs: number }
  | { kind: "delete"; client: string }
  | { kind: "set"; client: string; ttlMs: number }
  | { kind: "leave"; server: string; client: string }
  | { kind: "tick"; durationMs: number }
  | { kind: "silence"; durationMs: number }
  | { kind: "crash" };

const client = fc.constantFrom(...CLIENTS);
const server = fc.constantFrom(...SERVERS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("heartbeat"),
      server,
      clients: fc.array(client, { maxLength: 5 }),
      // Most are new, some are old, and some are older than a lease.
      ageMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 600 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete"), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("set"), client, ttlMs: fc.integer({ min: 60, max: 900 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("leave"), server, client }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("tick"), durationMs: fc.integer({ min: 0, max: 350 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("silence"), durationMs: fc.integer({ min: 50, max: 500 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash") }) },
);

/** Runs each step on the platform and on the model, and compares them. */
class Comparison {
  readonly #server: RedisServer;
  readonly #load: LoadRuntime;
  readonly #model = new Model(INTERVAL_MS, LEASE_MS);
  readonly #seen: PublishedEvent[] = [];
  #platform: TestPlatform;
  #lastEntryMs = 0;

  constructor(redisServer: RedisServer, load: LoadRuntime, platform: TestPlatform) {
    this.#server = redisServer;
    this.#load = load;
    this.#platform = platform;
  }

  static async start(redisServer: RedisServer, load: LoadRuntime): Promise<Comparison> {
    const platform = await TestPlatform.start(redisServer, load, INTERVAL_MS);
    await platform.redis.sadd("presence:watchers:*", "viewer");
    return new Comparison(redisServer, load, platform);
  }

  async stop(): Promise<void> {
    await this.#platform.stop();
  }

  async take(next: Step): Promise<void> {
    switch (next.kind) {
      case "heartbeat":
        return await this.#heartbeat(next.server, next.clients, next.ageMs);
      case "delete": {
        let count = 0;
        const done = await this.#observe(async () => {
          count = await this.#platform.redis.del(leaseKey(next.client));
        });
        return this.#model.deleteLease(next.client, count === 1, done.span, done.published);
      }
      case "set":
        return await this.#set(next.client, next.ttlMs);
      case "leave": {
        const done = await this.#observe(() => this.#platform.functions.leave(next.server, next.client));
        const { records } = await this.#platform.functions.read("reader", "epoch", [], [next.client]);
        return this.#model.leave(
          next.server,
          next.client,
          records.get(next.client)?.at ?? 0,
          done.span,
          done.published,
        );
      }
      case "tick":
        return await this.#tick(next.durationMs);
      case "silence":
        await delay(next.durationMs);
        return await this.#sweep();
      case "crash":
        // All triggers stop, and new ones start.
        await this.#platform.stop();
        this.#platform = await TestPlatform.join(this.#server, this.#load, INTERVAL_MS);
    }
  }

  /** Waits until all leases have ended, and checks that no state is left. */
  async finish(): Promise<void> {
    const deadlineAt = performance.now() + FINISH_TIMEOUT_MS;
    const { redis } = this.#platform;
    // A batch remains until its deadline, even without clients.
    while (this.#model.online().size > 0 || (await redis.zcard(DEADLINES_KEY)) > 0) {
      if (performance.now() > deadlineAt) throw new Error("not all leases have ended");
      await this.#tick(60);
    }
    const own = SERVERS.flatMap((each) => [batchesKey(each), changedBatchesKey(each)]);
    const left = [...CLIENTS.flatMap((each) => [leaseKey(each), holdersKey(each)]), ...own, BATCH_OF_KEY];
    expect(await redis.exists(...left)).toBe(0);
    expect(this.#seen.map(({ sequence }) => sequence)).toEqual(this.#seen.map((_, index) => index + 1));
    expect(this.#seen.every(({ version }, index) => version > (this.#seen[index - 1]?.version ?? 0))).toBe(true);
  }

  async #heartbeat(from: string, clients: readonly string[], ageMs: number): Promise<void> {
    let atMs = 0;
    const done = await this.#observe(async () => {
      const wantedMs = Math.max((await this.#platform.now()) - ageMs, this.#lastEntryMs);
      const fields = clients.flatMap((each) => ["client", each]);
      const id = await this.#platform.redis.xadd(HEARTBEAT_KEY, `${wantedMs}-*`, "server", from, ...fields);
      atMs = Number(id?.split("-")[0]);
    });
    this.#lastEntryMs = atMs;
    this.#model.heartbeat(from, clients, atMs, done.span, done.published);
  }

  async #set(name: string, ttlMs: number): Promise<void> {
    let endMs = 0;
    const done = await this.#observe(async () => {
      const set = this.#platform.redis.multi().set(leaseKey(name), "script", "PX", ttlMs, "NX");
      const [reply, expireAt] = (await set.pexpiretime(leaseKey(name)).exec()) ?? [];
      endMs = reply?.[1] === "OK" ? Number(expireAt?.[1]) : 0;
    });
    if (endMs > 0) this.#model.setLease(name, endMs, done.span, done.published);
    else this.#model.deleteLease(name, false, done.span, done.published);
  }

  async #tick(durationMs: number): Promise<void> {
    const until = performance.now() + durationMs;
    do {
      await this.#sweep();
      await delay(10);
    } while (performance.now() < until);
  }

  async #sweep(): Promise<void> {
    const before = await this.#news();
    this.#model.deleteLease("", false, { fromMs: 0, toMs: 0 }, before);
    for (let isDone = false; !isDone; ) {
      const { nowMs, nextMs } = await this.#platform.functions.sweep();
      await this.#platform.settle();
      isDone = nextMs === undefined || nextMs > nowMs;
      this.#model.sweep({ nowMs, isDone }, await this.#news());
    }
  }

  async #observe(act: () => Promise<void>): Promise<{ span: Span; published: PublishedEvent[] }> {
    const fromMs = await this.#platform.now();
    await act();
    await this.#platform.settle();
    return { span: { fromMs, toMs: await this.#platform.now() }, published: await this.#news() };
  }

  async #news(): Promise<PublishedEvent[]> {
    const all = await this.#platform.events("viewer");
    const news = all.slice(this.#seen.length);
    this.#seen.push(...news);
    return news;
  }
}

describe.each(RUNTIMES)("on $runtime", ({ load }) => {
  // Several tests of a few cases, so that no test depends on how many cases a machine manages in a given time.
  test.each([1, 2, 3, 4])(
    "publishes the same events as a simple model, part %i",
    { timeout: 180_000 },
    async (seed) => {
      const redisServer = await RedisServer.start();
      onTestFinished(() => redisServer.stop());
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
          const comparison = await Comparison.start(redisServer, load);
          try {
            for (const next of steps) await comparison.take(next);
            await comparison.finish();
          } catch (error) {
            fc.pre(!(error instanceof Ambiguous));
            throw error;
          } finally {
            await comparison.stop();
          }
        }),
        // Stops in time to report a failure that is not fully shrunk.
        // Always the same cases, as far as real time allows: the simulation searches for others.
        { seed, numRuns: CASES_PER_TEST, maxSkipsPerRun: 100, interruptAfterTimeLimit: 120_000 },
      );
    },
  );
});
