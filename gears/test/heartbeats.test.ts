import { HEARTBEAT_KEY, leaseKey } from "@presence/protocol";
import { expect, test } from "vitest";
import { BATCH_OF_KEY, DEADLINES_KEY, holdersKey } from "../src/presence/keys.ts";
import { onEachRuntime } from "./on-each-runtime.ts";
import { LEASE_MS, type TestPlatform } from "./platform.ts";

/** Keys that remain after all clients and servers are gone. */
const LASTING_KEYS = ["heartbeat", "presence:records", "presence:state"];

async function statusesOf(platform: TestPlatform): Promise<string[]> {
  return (await platform.published("viewer")).map((each) => each.split(" ").slice(0, 2).join(" "));
}

onEachRuntime((start, runtime) => {
  test("a lease starts when the heartbeat was written, not when it is processed", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    const atMs = await platform.write("s1", ["anouk"], LEASE_MS - 1100);
    await platform.sleepPast(atMs + LEASE_MS - 900);
    await platform.settle();
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
    await platform.sweepPast(atMs + LEASE_MS);
    expect(await platform.events("viewer")).toMatchObject([
      { status: "ONLINE" },
      { status: "OFFLINE", due: atMs + LEASE_MS },
    ]);
  });

  test("a heartbeat older than a lease has no effect", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.heartbeat("s1", ["anouk"], LEASE_MS + 50);
    await platform.heartbeat("s1", ["anouk"], LEASE_MS);
    await platform.sweep();
    expect(await platform.published("viewer")).toEqual([]);
    expect(await platform.redis.exists(leaseKey("anouk"), DEADLINES_KEY)).toBe(0);
  });

  test("a heartbeat from before the end of a lease does not bring the client back online", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    const lateMs = (await platform.now()) + 1;
    await platform.heartbeat("s1", ["anouk"], 1000);
    await platform.sleepPast(lateMs);
    await platform.redis.del(leaseKey("anouk"));
    await platform.settle();
    await platform.redis.xadd(HEARTBEAT_KEY, `${lateMs}-*`, "server", "s2", "client", "anouk");
    await platform.settle();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
    expect(await platform.redis.exists(leaseKey("anouk"))).toBe(0);
    await platform.heartbeat("s1", ["anouk"]);
    expect(await platform.published("viewer")).toHaveLength(3);
  });

  test("a heartbeat from before a sign-out is ignored, for online and offline clients", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk", "magali"]);
    const before = (await platform.now()) + 1;
    await platform.heartbeat("s1", ["anouk"], 1000);
    await platform.sleepPast(before);
    await platform.functions.leave("s1", "anouk");
    await platform.functions.leave("s1", "magali");
    await platform.redis.xadd(HEARTBEAT_KEY, `${before}-*`, "server", "s1", "client", "anouk", "client", "magali");
    await platform.settle();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
    await platform.heartbeat("s1", ["anouk", "magali"]);
    expect((await platform.published("viewer")).slice(2)).toEqual([
      "anouk ONLINE connected",
      "magali ONLINE connected",
    ]);
  });

  test("a lease from an entry in the future starts now", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    const atMs = (await platform.now()) + 3_600_000;
    await platform.redis.xadd(HEARTBEAT_KEY, `${atMs}-0`, "server", "s1", "client", "anouk");
    await platform.settle();
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBeLessThanOrEqual((await platform.now()) + LEASE_MS);
  });

  test("a client that is listed twice in an entry is published once", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.heartbeat("s1", ["anouk", "anouk", "magali", "anouk"]);
    await platform.heartbeat("s1", ["anouk", "anouk"]);
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
  });

  test("unknown fields are ignored", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk", "magali"]);
    await platform.redis.xadd(
      HEARTBEAT_KEY,
      "*",
      ...["server", "s1", "client", "anouk", "version", "7", "server", "s2", "client", "magali", "Client", "omar"],
    );
    await platform.settle();
    expect(await platform.redis.mget(leaseKey("anouk"), leaseKey("magali"))).toEqual(["s1", "s1"]);
    expect(await platform.deadlineOf("magali")).toBe(await platform.redis.pexpiretime(leaseKey("magali")));
  });

  test.each<[string, (string | Buffer)[]]>([
    ["no server", ["client", "anouk"]],
    ["the server in second place", ["client", "anouk", "server", "s1"]],
    ["another field first", ["host", "s1", "client", "anouk"]],
    ["an empty server", ["server", "", "client", "anouk"]],
    ["a server of spaces", ["server", "s 1", "client", "anouk"]],
    ["a server with a colon", ["server", ":servers", "client", "anouk"]],
    ["a server too long", ["server", "s".repeat(65), "client", "anouk"]],
    ["a server in another alphabet", ["server", "sérver", "client", "anouk"]],
    ["a binary server", ["server", Buffer.from([0xff, 0x00]), "client", "anouk"]],
    ["a line break after the server", ["server", "s1\n", "client", "anouk"]],
  ])("an entry with %s is ignored", async (_, fields) => {
    const platform = await start();
    await platform.redis.xadd(HEARTBEAT_KEY, "*", ...fields);
    await platform.sweep();
    expect(platform.errors).toEqual([]);
    expect((await platform.keys("*")).filter((key) => !LASTING_KEYS.includes(key))).toEqual([]);
  });

  test.each<[string, string | Buffer]>([
    ["empty", ""],
    ["too long", "a".repeat(65)],
    ["huge", "a".repeat(1_000_000)],
    ["with a space", "a b"],
    ["with a colon", "a:b"],
    ["with a star", "*"],
    ["with a question mark", "?"],
    ["in another alphabet", "zoë"],
    ["with a line break", "anouk\n"],
    ["binary", Buffer.from([0xc3, 0x28, 0x00])],
  ])("a client id that is %s does not affect the other clients of the entry", async (_, illegal) => {
    const platform = await start();
    await platform.watch("viewer", ["*"]);
    const fields = ["client", "anouk", "client", illegal, "client", "magali", "client", illegal];
    for (let round = 0; round < 2; round += 1) {
      await platform.redis.xadd(HEARTBEAT_KEY, "*", "server", "s1", ...fields);
      await platform.settle();
    }
    expect(platform.errors).toEqual([]);
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "magali ONLINE connected"]);
    expect((await platform.keys("online.clients.*")).toSorted()).toEqual([leaseKey("anouk"), leaseKey("magali")]);
    expect((await platform.redis.hkeys(BATCH_OF_KEY)).toSorted()).toEqual(["anouk", "magali"]);
  });

  test("a heartbeat deletes an externally created lease of an invalid id and does not publish it", async () => {
    const platform = await start();
    await platform.watch("viewer", ["*"]);
    await platform.redis.set(leaseKey("a b"), "s1", "PX", 60_000);
    await platform.heartbeat("s1", ["a b", "anouk"]);
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.hkeys(BATCH_OF_KEY)).toEqual(["anouk"]);
    expect(await platform.redis.exists(leaseKey("a b"))).toBe(0);
  });

  test("an entry may list thousands of clients", { timeout: 90_000 }, async () => {
    const intervalMs = 60_000;
    const platform = await start(intervalMs);
    // The harness needs a round trip per call. Both counts exceed the arguments of one call.
    const count = runtime === "redisgears" ? 1_100 : 10_000;
    const clients = Array.from({ length: count }, (_, index) => `client-${index}`);
    await platform.heartbeat("s1", clients);
    const atMs = await platform.heartbeat("s1", clients);
    expect(platform.errors).toEqual([]);
    expect(await platform.redis.hlen(BATCH_OF_KEY)).toBe(count);
    const deadlines = await Promise.all(clients.map((client) => platform.deadlineOf(client)));
    expect(new Set(deadlines)).toEqual(new Set([atMs + 1.5 * intervalMs]));
  });

  test("client ids may be names of object properties", async () => {
    const platform = await start();
    const clients = ["__proto__", "constructor", "toString", "length", "nil", "0"];
    await platform.watch("viewer", clients);
    await platform.heartbeat("__proto__", clients);
    for (const client of clients) await platform.functions.leave("__proto__", client);
    expect(await statusesOf(platform)).toEqual([
      ...clients.map((client) => `${client} ONLINE`),
      ...clients.map((client) => `${client} OFFLINE`),
    ]);
  });

  test("processed entries are trimmed", async () => {
    const platform = await start();
    const stale = (await platform.now()) - 2 * LEASE_MS;
    const pipeline = platform.redis.pipeline();
    for (let index = 0; index < 300; index += 1) pipeline.xadd(HEARTBEAT_KEY, `${stale}-*`, "server", "s1");
    await pipeline.exec();
    await platform.heartbeat("s1", ["anouk"]);
    // Redis trims whole nodes of a stream.
    expect(await platform.redis.xlen(HEARTBEAT_KEY)).toBeLessThanOrEqual(101);
  });

  if (runtime === "redis-functions") {
    test("a pending entry of another consumer is claimed", async () => {
      const platform = await start();
      await platform.watch("viewer", ["anouk", "magali"]);
      await platform.heartbeat("s1", ["magali"]);
      await platform.write("s1", ["anouk"], 0);
      const id = await readWithoutAck(platform);
      await platform.settle();
      expect(await platform.published("viewer")).toEqual(["magali ONLINE connected"]);
      await platform.redis.xclaim(HEARTBEAT_KEY, "presence", "another", "0", id, "IDLE", "20000");
      expect(await platform.functions.claim()).toBe(1);
      expect((await platform.published("viewer"))[1]).toBe("anouk ONLINE connected");
      expect(await platform.functions.claim()).toBe(0);
      expect((await platform.redis.xpending(HEARTBEAT_KEY, "presence"))[0]).toBe(0);
    });
  }

  if (runtime === "redis-functions") {
    test("a claimed entry does not replace a lease that ends later", async () => {
      const platform = await start();
      await platform.watch("viewer", ["anouk"]);
      await platform.heartbeat("s2", ["omar"], 500);
      const pendingMs = await platform.write("s1", ["anouk"], 400);
      const id = await readWithoutAck(platform);
      const atMs = await platform.heartbeat("s2", ["anouk"]);
      await platform.redis.xclaim(HEARTBEAT_KEY, "presence", "another", "0", id, "IDLE", "20000");
      expect(await platform.functions.claim()).toBe(1);
      expect(await platform.redis.get(leaseKey("anouk"))).toBe("s2");
      expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
      expect(await platform.deadlineOf("anouk")).toBeLessThanOrEqual(atMs + LEASE_MS);
      expect(await platform.redis.zscore(holdersKey("anouk"), "s1")).toBe(String(pendingMs + LEASE_MS));
      await platform.functions.leave("s2", "anouk");
      expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
      expect(await platform.redis.get(leaseKey("anouk"))).toBe("s1");
    });
  }
});

/** Reads the next entry with another consumer and does not acknowledge it. @returns the entry's id */
async function readWithoutAck({ redis }: TestPlatform): Promise<string> {
  await redis.xreadgroup("GROUP", "presence", "another", "COUNT", 1, "STREAMS", HEARTBEAT_KEY, ">");
  const [pending] = (await redis.xpending(HEARTBEAT_KEY, "presence", "-", "+", 1)) as [string][];
  return pending?.[0] ?? "";
}
