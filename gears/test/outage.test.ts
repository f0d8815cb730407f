import { setTimeout as delay } from "node:timers/promises";
import { leaseKey } from "@presence/protocol";
import { expect, test } from "vitest";
import { DEADLINES_KEY, STATE_KEY } from "../src/presence/keys.ts";
import { onEachRuntime } from "./on-each-runtime.ts";
import { INTERVAL_MS, LEASE_MS, type TestPlatform } from "./platform.ts";

/** A time without sweeps that counts as an outage, in ms. */
const OUTAGE_MS = 0.3 * INTERVAL_MS + 100;

/** Suspends the Redis process. */
async function suspend({ server }: TestPlatform, durationMs: number): Promise<void> {
  server.pause();
  await delay(durationMs);
  server.resume();
}

/** The last sweep counts as one on another run of Redis, as after a restart with data or a failover. */
async function pretendOtherRun({ redis }: TestPlatform): Promise<void> {
  await redis.hset(STATE_KEY, "run", "another-run");
}

onEachRuntime((start, runtime) => {
  test("leases that expired during an outage end only after servers had an interval to send heartbeats", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk", "magali"]);
    const atMs = await platform.heartbeat("s1", ["anouk", "magali"], LEASE_MS - 1_500);
    await platform.sweep();
    await suspend(platform, 1_600);
    await platform.sweep();
    const backMs = await platform.now();
    expect(await platform.published("viewer")).toHaveLength(2);
    await platform.sweepDuringOutage(backMs + INTERVAL_MS);
    expect(await platform.published("viewer")).toHaveLength(2);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.sweepUntil(async () => (await platform.published("viewer")).length > 2);
    const [, , offline, ...more] = await platform.events("viewer");
    expect(offline).toMatchObject({ client: "magali", status: "OFFLINE", due: atMs + LEASE_MS });
    expect(offline?.at).toBeGreaterThan(backMs + INTERVAL_MS);
    expect(more).toEqual([]);
  });

  test("a notification before the first sweep after an outage ends no lease", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.heartbeat("s1", ["anouk"], LEASE_MS - 1_500);
    await platform.sweep();
    await suspend(platform, 1_600);
    await platform.functions.check(["anouk"]);
    await platform.settle();
    await platform.sweep();
    await platform.heartbeat("s1", ["anouk"]);
    await platform.sweep();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
  });

  test("another run of Redis holds leases too, and starts another epoch", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 1000);
    await platform.sweepPast(atMs + LEASE_MS - 800);
    await pretendOtherRun(platform);
    await platform.sweepDuringOutage(atMs + LEASE_MS + 100);
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    const { epoch } = await platform.functions.read("viewer", "second-epoch", [], []);
    expect(epoch).toBe("second-epoch");
    await platform.sweepUntil(async () => (await platform.published("viewer")).length > 1);
    expect(await platform.events("viewer")).toMatchObject([{}, { status: "OFFLINE", due: atMs + LEASE_MS }]);
  });

  test("signing out isn't held", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk", "magali"]);
    await platform.heartbeat("s1", ["anouk", "magali"]);
    await platform.sweep();
    await pretendOtherRun(platform);
    await platform.sweep();
    await platform.functions.leave("s1", "anouk");
    await platform.redis.del(leaseKey("magali"));
    await platform.settle();
    expect((await platform.published("viewer")).slice(2)).toEqual(["anouk OFFLINE left", "magali OFFLINE left"]);
  });

  test("the first sweep on an empty Redis is not an outage", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 200);
    await platform.sweepPast(atMs + LEASE_MS + 1);
    expect(await platform.published("viewer")).toHaveLength(2);
  });

  test("a sweep returns the next deadline, or undefined if there is none", async () => {
    const platform = await start();
    expect((await platform.functions.sweep()).nextMs).toBeUndefined();
    const atMs = await platform.heartbeat("s1", ["anouk"], 100);
    await platform.heartbeat("s1", ["magali"]);
    expect((await platform.functions.sweep()).nextMs).toBe(atMs + LEASE_MS);
  });

  // With RedisGears, no host processes the stream.
  if (runtime === "redis-functions") {
    test("a backlog after an outage of all hosts makes no client flap", async () => {
      const platform = await start();
      await platform.watch("viewer", ["anouk", "magali"]);
      const atMs = await platform.heartbeat("s1", ["anouk", "magali"], LEASE_MS - 1_500);
      await platform.sweep();
      // More entries than one call processes. They stay unread until the first lease has expired.
      for (let index = 0; index < 120; index += 1) await platform.write("s2", [`other-${index}`]);
      await platform.sleepPast(Math.max((await platform.now()) + OUTAGE_MS, atMs + LEASE_MS));
      await platform.write("s1", ["anouk"]);
      await platform.functions.check(["anouk", "magali"]);
      await platform.sweep();
      const backMs = await platform.now();
      await platform.sweepPast(backMs + 1.3 * INTERVAL_MS);
      expect(await platform.published("viewer")).toEqual([
        "anouk ONLINE connected",
        "magali ONLINE connected",
        "magali OFFLINE timed-out",
      ]);
    });
  }

  if (runtime === "redis-functions") {
    test.each(["check", "sweep"])("the whole stream is processed before a %s ends a lease", async (call) => {
      const platform = await start();
      await platform.watch("viewer", ["anouk"]);
      await platform.sweep();
      const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 1_500);
      for (let index = 0; index < 120; index += 1) await platform.write("s2", [`other-${index}`]);
      await platform.write("s1", ["anouk"]);
      await platform.sleepPast(atMs + LEASE_MS);
      if (call === "check") await platform.functions.check(["anouk"]);
      else await platform.sweep();
      expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    });
  }

  test("leases that exceed the limit of one sweep all end", async () => {
    // The harness needs a round trip per call: the leases must not end before all of them are set.
    const intervalMs = 8_000;
    const platform = await start(intervalMs);
    await platform.watch("viewer", ["*"]);
    const clients = Array.from({ length: 250 }, (_, index) => `client-${index}`);
    await platform.write("s1", clients, intervalMs / 2);
    await platform.sweep();
    await platform.sweepUntil(async () => (await platform.redis.zcard(DEADLINES_KEY)) === 0);
    const offline = (await platform.events("viewer")).filter(({ status }) => status === "OFFLINE");
    expect(offline.map(({ client }) => client).toSorted()).toEqual(clients.toSorted());
  });
});
