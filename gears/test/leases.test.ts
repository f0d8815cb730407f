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
  test("a lease that is created is ONLINE, once, and belongs to the server for 1.5 × d", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"]);
    await platform.sweep();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s1");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
  });

  test("a lease that is refreshed, or moves to another server, is no event", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.heartbeat("s2", ["anouk"]);
    const atMs = await platform.heartbeat("s2", ["anouk"]);
    await platform.sweep();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s2");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
  });

  test("who is named twice in one breath is told of once", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "s1", "PX", LEASE_MS);
    await platform.heartbeat("s1", ["anouk", "anouk", "omar", "omar"]);
    await platform.redis.set(leaseKey("magali"), "s1", "PX", LEASE_MS);
    await platform.functions.check(["magali", "magali"]);
    expect((await platform.told("viewer")).toSorted()).toEqual([
      "anouk ONLINE connected",
      "magali ONLINE connected",
      "omar ONLINE connected",
    ]);
  });

  test("a client that moves on is OFFLINE when the new server's lease ends, and not before", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"], LEASE_MS - 700);
    const atMs = await platform.heartbeat("s2", ["anouk"], LEASE_MS - 1000);
    await platform.sweepPast(atMs + LEASE_MS - 150);
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    await platform.sweepPast(atMs + LEASE_MS);
    expect(await platform.announcements("viewer")).toMatchObject([{}, { status: "OFFLINE", due: atMs + LEASE_MS }]);
  });

  test("a lease that runs out is OFFLINE, once, at its end", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    await platform.sweepPast(atMs + LEASE_MS + 50);
    await platform.sweep();
    const [online, offline, ...more] = await platform.announcements("viewer");
    expect(online).toMatchObject({ status: "ONLINE", reason: "connected" });
    expect(offline).toMatchObject({ status: "OFFLINE", reason: "server-lost", due: atMs + LEASE_MS });
    expect(offline?.at).toBeGreaterThanOrEqual(atMs + LEASE_MS);
    expect(more).toEqual([]);
    expect(await platform.redis.exists(leaseKey("anouk"))).toBe(0);
  });

  test("a lease that is deleted is OFFLINE, once, at once", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.redis.del(leaseKey("anouk"));
    await platform.settle();
    await platform.sweep();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("per client events alternate, and versions rise over all", async () => {
    const platform = await startWatching(start);
    for (let round = 0; round < 3; round += 1) {
      await platform.heartbeat("s1", ["anouk", "magali", "anouk"]);
      await platform.heartbeat("s2", ["anouk", "omar"]);
      await platform.redis.del(leaseKey("anouk"), leaseKey("omar"));
      await platform.settle();
      await platform.functions.leave("s1", "magali");
    }
    const announcements = await platform.announcements("viewer");
    expect(announcements).toHaveLength(18);
    for (const client of ["anouk", "magali", "omar"]) {
      const statuses = announcements.filter((each) => each.client === client).map(({ status }) => status);
      expect(statuses).toEqual(["ONLINE", "OFFLINE", "ONLINE", "OFFLINE", "ONLINE", "OFFLINE"]);
    }
    const versions = announcements.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(versions.every(Number.isSafeInteger)).toBe(true);
  });

  test("a client that stops while its server goes on has timed out; one whose server stops has lost it", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk", "magali"], LEASE_MS - 750);
    const atMs = await platform.heartbeat("s2", ["omar"], LEASE_MS - 760);
    await platform.heartbeat("s1", ["magali"], LEASE_MS - 1200);
    await platform.sweepPast(atMs + LEASE_MS);
    expect((await platform.told("viewer")).slice(3)).toEqual(["anouk OFFLINE timed-out", "omar OFFLINE server-lost"]);
  });

  test("a lease set by hand is ONLINE, and OFFLINE when it ends", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "by-hand", "PX", 250);
    await platform.settle();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    const endMs = await platform.redis.pexpiretime(leaseKey("anouk"));
    await platform.sweepPast(endMs + 1);
    const [, offline, ...more] = await platform.announcements("viewer");
    expect(offline).toMatchObject({ status: "OFFLINE", due: endMs });
    expect(more).toEqual([]);
  });

  test("a lease set by hand without an end gets one", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "by-hand");
    await platform.settle();
    const endMs = await platform.redis.pexpiretime(leaseKey("anouk"));
    expect(endMs - (await platform.now())).toBeLessThanOrEqual(LEASE_MS);
    expect(endMs - (await platform.now())).toBeGreaterThan(LEASE_MS / 2);
    await platform.sweepPast(endMs + 1);
    expect((await platform.told("viewer")).map((each) => each.split(" ")[1])).toEqual(["ONLINE", "OFFLINE"]);
  });

  test("a plain SET over a lease, which clears its end, is no event, and the lease still ends", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    await platform.redis.set(leaseKey("anouk"), "by-hand");
    await platform.settle();
    await platform.sweepPast(atMs + LEASE_MS + 1);
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    const endMs = await platform.redis.pexpiretime(leaseKey("anouk"));
    expect(endMs).toBeGreaterThan(atMs + LEASE_MS);
    await platform.sweepPast(endMs + 1);
    expect((await platform.told("viewer"))[1]).toMatch(/^anouk OFFLINE/);
  });

  test("a lease prolonged by hand ends when it says", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 750);
    await platform.redis.pexpire(leaseKey("anouk"), 1200);
    const endMs = await platform.redis.pexpiretime(leaseKey("anouk"));
    await platform.settle();
    await platform.sweepPast(atMs + LEASE_MS + 1);
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    await platform.sweepPast(endMs + 1);
    expect(await platform.announcements("viewer")).toMatchObject([{}, { status: "OFFLINE", due: endMs }]);
  });

  test("a lease shortened by hand ends, once", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.redis.pexpire(leaseKey("anouk"), 20);
    await platform.settle();
    await platform.sweepUntil(async () => (await platform.redis.exists(leaseKey("anouk"))) === 0);
    await platform.sweep();
    expect((await platform.told("viewer")).map((each) => each.split(" ")[1])).toEqual(["ONLINE", "OFFLINE"]);
  });

  test("a lease expired by hand is OFFLINE at once", async () => {
    const platform = await startWatching(start);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.redis.expire(leaseKey("anouk"), 0);
    await platform.settle();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("something else than a string in a lease's place is no lease", async () => {
    const platform = await startWatching(start);
    await platform.redis.rpush(leaseKey("magali"), "x");
    await platform.heartbeat("s1", ["anouk"]);
    await platform.redis.multi().del(leaseKey("anouk")).sadd(leaseKey("anouk"), "x").exec();
    await platform.settle();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
    await platform.heartbeat("s1", ["anouk", "magali"]);
    expect((await platform.told("viewer")).slice(2)).toEqual(["anouk ONLINE connected", "magali ONLINE connected"]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s1");
    expect(await platform.redis.get(leaseKey("magali"))).toBe("s1");
  });

  test("a heartbeat replaces what its server's lease was given by hand", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "s1", "PX", 60_000);
    await platform.settle();
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    expect(await platform.deadlineOf("anouk")).toBe(atMs + LEASE_MS);
    await platform.sweepPast(atMs + LEASE_MS);
    expect(await platform.announcements("viewer")).toMatchObject([{}, { status: "OFFLINE", due: atMs + LEASE_MS }]);
  });

  test("a lease set by hand is announced by the heartbeat that renews it, if that is quicker", async () => {
    const platform = await startWatching(start);
    await platform.redis.set(leaseKey("anouk"), "s1", "PX", 60_000);
    await platform.write("s1", ["magali", "anouk"]);
    await platform.settle();
    expect((await platform.told("viewer")).toSorted()).toEqual(["anouk ONLINE connected", "magali ONLINE connected"]);
  });

  test("deadlines are the leases' ends, to the millisecond", async () => {
    const platform = await startWatching(start);
    const clients = Array.from({ length: 60 }, (_, index) => `client-${index}`);
    await platform.heartbeat("s1", clients, 20);
    await platform.heartbeat("s2", clients.slice(0, 20), 10);
    await platform.heartbeat("s1", clients.slice(10, 40));
    await platform.redis.set(leaseKey("anouk"), "by-hand", "PX", 4321);
    await platform.redis.set(leaseKey("omar"), "by-hand");
    await platform.settle();
    for (const client of [...clients, "anouk", "omar"]) {
      expect(await platform.deadlineOf(client)).toBe(await platform.redis.pexpiretime(leaseKey(client)));
    }
  });

  test("no lease outlives its end, whenever the clock asks", async () => {
    const platform = await startWatching(start);
    const clients = Array.from({ length: 40 }, (_, index) => `client-${index}`);
    await platform.functions.read("viewer", "epoch", clients, []);
    const ends = new Map<string, number>();
    for (const [index, client] of clients.entries()) {
      const atMs = await platform.write("s1", [client], LEASE_MS - 1500 - 5 * index);
      ends.set(client, atMs + LEASE_MS);
    }
    await platform.settle();
    const told = async () => (await platform.announcements("viewer")).filter(({ status }) => status === "OFFLINE");
    for (let toldCount = 0; toldCount < clients.length; ) {
      const { nowMs, nextMs } = await platform.functions.sweep(platform.run);
      const offline = await told();
      toldCount = offline.length;
      const isHeld = nextMs === (await platform.heldUntil());
      const due = [...ends].filter(([, endMs]) => endMs <= nowMs).map(([client]) => client);
      if (!isHeld) expect(offline.map(({ client }) => client)).toEqual(expect.arrayContaining(due));
    }
    for (const { client, due } of await told()) expect(due).toBe(ends.get(client));
  });

  test("the last change of a client survives it", async () => {
    const platform = await startWatching(start);
    const atMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    await platform.functions.leave("s1", "anouk");
    const [, offline] = await platform.announcements("viewer");
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
