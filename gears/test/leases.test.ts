import { leaseKey } from "@presence/protocol";
import { expect, test } from "vitest";
import { SERVERS_KEY } from "../src/presence/keys.ts";
import { onEachRuntime } from "./on-each-runtime.ts";
import { LEASE_MS, type TestPlatform } from "./platform.ts";

/** A platform on which `viewer` watches anouk, magali and omar. */
async function startWatching(start: () => Promise<TestPlatform>): Promise<TestPlatform> {
  const platform = await start();
  await platform.watch("viewer", ["anouk", "magali", "omar"]);
  await platform.sweep();
  return platform;
}

onEachRuntime((start) => {
  test("a created lease is published as ONLINE once and lasts 1.5 × d", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"]);
    await platform.sweep();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s1");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
  });

  test("a lease that is renewed or moves to another server causes no event", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.heartbeat("s2", ["anouk"]);
    const atMs = await platform.heartbeat("s2", ["anouk"]);
    await platform.sweep();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s2");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
  });

  test("a client that is listed twice in one call has one event", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "s1", "PX", LEASE_MS);
    await platform.heartbeat("s1", ["anouk", "anouk", "omar", "omar"]);
    await platform.redis.set(leaseKey("magali"), "s1", "PX", LEASE_MS);
    await platform.functions.check(["magali", "magali"]);
    expect((await platform.published("viewer")).toSorted()).toEqual([
      "anouk ONLINE connected",
      "magali ONLINE connected",
      "omar ONLINE connected",
    ]);
  });

  test("a client that moved is OFFLINE when the new server's lease ends", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"], LEASE_MS - 700);
    const atMs = await platform.heartbeat("s2", ["anouk"], LEASE_MS - 1000);
    await platform.sweepPast(atMs + LEASE_MS - 150);
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    await platform.sweepPast(atMs + LEASE_MS);
    expect(await platform.events("viewer")).toMatchObject([{}, { status: "OFFLINE", due: atMs + LEASE_MS }]);
  });

  test("an expired lease is published as OFFLINE once, at its end", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    await platform.sweepPast(atMs + LEASE_MS + 50);
    await platform.sweep();
    const [online, offline, ...more] = await platform.events("viewer");
    expect(online).toMatchObject({ status: "ONLINE", reason: "connected" });
    expect(offline).toMatchObject({ status: "OFFLINE", reason: "server-lost", due: atMs + LEASE_MS });
    expect(offline?.at).toBeGreaterThanOrEqual(atMs + LEASE_MS);
    expect(more).toEqual([]);
    expect(await platform.redis.exists(leaseKey("anouk"))).toBe(0);
  });

  test("a deleted lease is published as OFFLINE once, immediately", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.redis.del(leaseKey("anouk"));
    await platform.settle();
    await platform.sweep();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("events alternate per client, and versions increase over all clients", async () => {
    const platform = await startWatching(start);
    for (let round = 0; round < 3; round += 1) {
      await platform.heartbeat("s1", ["anouk", "magali", "anouk"]);
      await platform.heartbeat("s2", ["anouk", "omar"]);
      await platform.redis.del(leaseKey("anouk"), leaseKey("omar"));
      await platform.settle();
      await platform.functions.leave("s1", "magali");
    }
    const events = await platform.events("viewer");
    expect(events).toHaveLength(18);
    for (const client of ["anouk", "magali", "omar"]) {
      const statuses = events.filter((each) => each.client === client).map(({ status }) => status);
      expect(statuses).toEqual(["ONLINE", "OFFLINE", "ONLINE", "OFFLINE", "ONLINE", "OFFLINE"]);
    }
    const versions = events.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(versions.every(Number.isSafeInteger)).toBe(true);
  });

  test("the reason is timed-out if the server still sends heartbeats, and server-lost otherwise", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk", "magali"], LEASE_MS - 750);
    const atMs = await platform.heartbeat("s2", ["omar"], LEASE_MS - 760);
    await platform.heartbeat("s1", ["magali"], LEASE_MS - 1200);
    await platform.sweepPast(atMs + LEASE_MS);
    expect((await platform.published("viewer")).slice(3)).toEqual([
      "anouk OFFLINE timed-out",
      "omar OFFLINE server-lost",
    ]);
  });

  test("an externally created lease is ONLINE, and OFFLINE when it ends", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "script", "PX", 250);
    await platform.settle();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    const endMs = await platform.redis.pexpiretime(leaseKey("anouk"));
    await platform.sweepPast(endMs + 1);
    const [, offline, ...more] = await platform.events("viewer");
    expect(offline).toMatchObject({ status: "OFFLINE", due: endMs });
    expect(more).toEqual([]);
  });

  test("an externally created lease without an expiry gets one", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "script");
    await platform.settle();
    const endMs = await platform.redis.pexpiretime(leaseKey("anouk"));
    expect(endMs - (await platform.now())).toBeLessThanOrEqual(LEASE_MS);
    expect(endMs - (await platform.now())).toBeGreaterThan(LEASE_MS / 2);
    await platform.sweepPast(endMs + 1);
    expect((await platform.published("viewer")).map((each) => each.split(" ")[1])).toEqual(["ONLINE", "OFFLINE"]);
  });

  test("a SET without an expiry over a lease causes no event, and the lease still ends", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    await platform.redis.set(leaseKey("anouk"), "script");
    await platform.settle();
    await platform.sweepPast(atMs + LEASE_MS + 1);
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    const endMs = await platform.redis.pexpiretime(leaseKey("anouk"));
    expect(endMs).toBeGreaterThan(atMs + LEASE_MS);
    await platform.sweepPast(endMs + 1);
    expect((await platform.published("viewer"))[1]).toMatch(/^anouk OFFLINE/);
  });

  test("a lease that an external program extends ends at the new time", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 750);
    await platform.redis.pexpire(leaseKey("anouk"), 1200);
    const endMs = await platform.redis.pexpiretime(leaseKey("anouk"));
    await platform.settle();
    await platform.sweepPast(atMs + LEASE_MS + 1);
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    await platform.sweepPast(endMs + 1);
    expect(await platform.events("viewer")).toMatchObject([{}, { status: "OFFLINE", due: endMs }]);
  });

  test("a lease that an external program shortens ends once", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.redis.pexpire(leaseKey("anouk"), 20);
    await platform.settle();
    await platform.sweepUntil(async () => (await platform.redis.exists(leaseKey("anouk"))) === 0);
    await platform.sweep();
    expect((await platform.published("viewer")).map((each) => each.split(" ")[1])).toEqual(["ONLINE", "OFFLINE"]);
  });

  test("a lease that an external program expires is OFFLINE immediately", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.redis.expire(leaseKey("anouk"), 0);
    await platform.settle();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("a lease key with a value that is not a string is not a lease", async () => {
    const platform = await startWatching(start);
    await platform.redis.rpush(leaseKey("magali"), "x");
    await platform.heartbeat("s1", ["anouk"]);
    await platform.redis.multi().del(leaseKey("anouk")).sadd(leaseKey("anouk"), "x").exec();
    await platform.settle();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
    await platform.heartbeat("s1", ["anouk", "magali"]);
    expect((await platform.published("viewer")).slice(2)).toEqual([
      "anouk ONLINE connected",
      "magali ONLINE connected",
    ]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s1");
    expect(await platform.redis.get(leaseKey("magali"))).toBe("s1");
  });

  test("a heartbeat replaces an externally created lease of its server", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "s1", "PX", 60_000);
    await platform.settle();
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    expect(await platform.deadlineOf("anouk")).toBe(atMs + LEASE_MS);
    await platform.sweepPast(atMs + LEASE_MS);
    expect(await platform.events("viewer")).toMatchObject([{}, { status: "OFFLINE", due: atMs + LEASE_MS }]);
  });

  test("a heartbeat publishes an externally created lease if it is faster than the notification", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "s1", "PX", 60_000);
    await platform.write("s1", ["magali", "anouk"]);
    await platform.settle();
    expect((await platform.published("viewer")).toSorted()).toEqual([
      "anouk ONLINE connected",
      "magali ONLINE connected",
    ]);
  });

  test("deadlines equal the ends of the leases, to the millisecond", async () => {
    const platform = await startWatching(start);
    const clients = Array.from({ length: 60 }, (_, index) => `client-${index}`);
    await platform.heartbeat("s1", clients, 20);
    await platform.heartbeat("s2", clients.slice(0, 20), 10);
    await platform.heartbeat("s1", clients.slice(10, 40));
    await platform.redis.set(leaseKey("anouk"), "script", "PX", 4321);
    await platform.redis.set(leaseKey("omar"), "script");
    await platform.settle();
    for (const client of [...clients, "anouk", "omar"]) {
      expect(await platform.deadlineOf(client)).toBe(await platform.redis.pexpiretime(leaseKey(client)));
    }
  });

  test("no lease outlives its end, at any time of a sweep", async () => {
    const platform = await startWatching(start);
    const clients = Array.from({ length: 40 }, (_, index) => `client-${index}`);
    await platform.functions.read("viewer", "epoch", clients, []);
    const ends = new Map<string, number>();
    for (const [index, client] of clients.entries()) {
      const atMs = await platform.write("s1", [client], LEASE_MS - 1500 - 5 * index);
      ends.set(client, atMs + LEASE_MS);
    }
    await platform.settle();
    const published = async () => (await platform.events("viewer")).filter(({ status }) => status === "OFFLINE");
    for (let endedCount = 0; endedCount < clients.length; ) {
      const { nowMs, nextMs } = await platform.functions.sweep();
      const offline = await published();
      endedCount = offline.length;
      const isHeld = nextMs === (await platform.heldUntil());
      const due = [...ends].filter(([, endMs]) => endMs <= nowMs).map(([client]) => client);
      if (!isHeld) expect(offline.map(({ client }) => client)).toEqual(expect.arrayContaining(due));
    }
    for (const { client, due } of await published()) expect(due).toBe(ends.get(client));
  });

  test("the record of an offline client remains", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    await platform.functions.leave("s1", "anouk");
    const [, offline] = await platform.events("viewer");
    await platform.sweepPast(atMs + 2 * LEASE_MS);
    expect(await platform.redis.zscore(SERVERS_KEY, "s1")).toBeNull();
    const { records } = await platform.functions.read("viewer", "epoch", [], ["anouk", "magali"]);
    expect([...records.keys()]).toEqual(["anouk"]);
    expect(records.get("anouk")).toMatchObject({
      status: "OFFLINE",
      at: offline?.at,
      version: String(offline?.version),
    });
  });
});
