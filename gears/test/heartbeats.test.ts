import { HEARTBEAT_KEY, leaseKey } from "@presence/protocol";
import { expect, test } from "vitest";
import { BATCH_OF_KEY, DEADLINES_KEY, holdersKey } from "../src/presence/keys.ts";
import { onEachRuntime } from "./on-each-runtime.ts";
import { LEASE_MS, type TestPlatform } from "./platform.ts";

/** Keys that are there whoever has come and gone. */
const LASTING_KEYS = ["heartbeat", "presence:records", "presence:state"];

async function statusesOf(platform: TestPlatform): Promise<string[]> {
  return (await platform.told("viewer")).map((each) => each.split(" ").slice(0, 2).join(" "));
}

onEachRuntime((start, runtime) => {
  test("a heartbeat counts as of when it was written, not as of when it is worked off", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    const atMs = await platform.write("s1", ["anouk"], LEASE_MS - 1100);
    await platform.sleepPast(atMs + LEASE_MS - 900);
    await platform.settle();
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
    await platform.sweepPast(atMs + LEASE_MS);
    expect(await platform.announcements("viewer")).toMatchObject([
      { status: "ONLINE" },
      { status: "OFFLINE", due: atMs + LEASE_MS },
    ]);
  });

  test("a stale heartbeat revives nobody, and leaves nothing behind", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.heartbeat("s1", ["anouk"], LEASE_MS + 50);
    await platform.heartbeat("s1", ["anouk"], LEASE_MS);
    await platform.sweep();
    expect(await platform.told("viewer")).toEqual([]);
    expect(await platform.redis.exists(leaseKey("anouk"), DEADLINES_KEY)).toBe(0);
  });

  test("a heartbeat from before the end of a lease revives nobody after it", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    const lateMs = (await platform.now()) + 1;
    await platform.heartbeat("s1", ["anouk"], 1000);
    await platform.sleepPast(lateMs);
    await platform.redis.del(leaseKey("anouk"));
    await platform.settle();
    await platform.redis.xadd(HEARTBEAT_KEY, `${lateMs}-*`, "server", "s2", "client", "anouk");
    await platform.settle();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
    expect(await platform.redis.exists(leaseKey("anouk"))).toBe(0);
    await platform.heartbeat("s1", ["anouk"]);
    expect(await platform.told("viewer")).toHaveLength(3);
  });

  test("a heartbeat from before a sign-out is ignored, be the client online or not", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk", "magali"]);
    const before = (await platform.now()) + 1;
    await platform.heartbeat("s1", ["anouk"], 1000);
    await platform.sleepPast(before);
    await platform.functions.leave("s1", "anouk");
    await platform.functions.leave("s1", "magali");
    await platform.redis.xadd(HEARTBEAT_KEY, `${before}-*`, "server", "s1", "client", "anouk", "client", "magali");
    await platform.settle();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
    await platform.heartbeat("s1", ["anouk", "magali"]);
    expect((await platform.told("viewer")).slice(2)).toEqual(["anouk ONLINE connected", "magali ONLINE connected"]);
  });

  test("an entry from the future counts as of now", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    const atMs = (await platform.now()) + 3_600_000;
    await platform.redis.xadd(HEARTBEAT_KEY, `${atMs}-0`, "server", "s1", "client", "anouk");
    await platform.settle();
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBeLessThanOrEqual((await platform.now()) + LEASE_MS);
  });

  test("a client that is named twice in an entry comes once", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.heartbeat("s1", ["anouk", "anouk", "magali", "anouk"]);
    await platform.heartbeat("s1", ["anouk", "anouk"]);
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
  });

  test("fields that are none of ours are passed over", async () => {
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
    ["a server that isn't first", ["client", "anouk", "server", "s1"]],
    ["another field first", ["host", "s1", "client", "anouk"]],
    ["an empty server", ["server", "", "client", "anouk"]],
    ["a server of spaces", ["server", "s 1", "client", "anouk"]],
    ["a server with a colon", ["server", ":servers", "client", "anouk"]],
    ["a server too long", ["server", "s".repeat(65), "client", "anouk"]],
    ["a server in another alphabet", ["server", "sérver", "client", "anouk"]],
    ["a binary server", ["server", Buffer.from([0xff, 0x00]), "client", "anouk"]],
    ["a line break after the server", ["server", "s1\n", "client", "anouk"]],
  ])("an entry with %s counts for nothing", async (_, fields) => {
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
  ])("a client's id that is %s harms none of its neighbours", async (_, illegal) => {
    const platform = await start();
    await platform.watch("viewer", ["*"]);
    const fields = ["client", "anouk", "client", illegal, "client", "magali", "client", illegal];
    for (let round = 0; round < 2; round += 1) {
      await platform.redis.xadd(HEARTBEAT_KEY, "*", "server", "s1", ...fields);
      await platform.settle();
    }
    expect(platform.errors).toEqual([]);
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "magali ONLINE connected"]);
    expect((await platform.keys("online.clients.*")).toSorted()).toEqual([leaseKey("anouk"), leaseKey("magali")]);
    expect((await platform.redis.hkeys(BATCH_OF_KEY)).toSorted()).toEqual(["anouk", "magali"]);
  });

  test("a lease set by hand for an illegal id isn't announced by a heartbeat either", async () => {
    const platform = await start();
    await platform.watch("viewer", ["*"]);
    await platform.redis.set(leaseKey("a b"), "s1", "PX", 60_000);
    await platform.heartbeat("s1", ["a b", "anouk"]);
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.hkeys(BATCH_OF_KEY)).toEqual(["anouk"]);
    expect(await platform.redis.exists(leaseKey("a b"))).toBe(0);
  });

  test("an entry may name very many clients", { timeout: 90_000 }, async () => {
    const intervalMs = 60_000;
    const platform = await start(intervalMs);
    // The harness takes a roundtrip for each call; what is told apart here is more than a thousand arguments.
    const count = runtime === "redisgears" ? 1_100 : 10_000;
    const clients = Array.from({ length: count }, (_, index) => `client-${index}`);
    await platform.heartbeat("s1", clients);
    const atMs = await platform.heartbeat("s1", clients);
    expect(platform.errors).toEqual([]);
    expect(await platform.redis.hlen(BATCH_OF_KEY)).toBe(count);
    const deadlines = await Promise.all(clients.map((client) => platform.deadlineOf(client)));
    expect(new Set(deadlines)).toEqual(new Set([atMs + 1.5 * intervalMs]));
  });

  test("clients may be called as properties of every object are", async () => {
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

  test("what has been worked off is trimmed", async () => {
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
    test("an entry that another reader left lying is taken over", async () => {
      const platform = await start();
      await platform.watch("viewer", ["anouk", "magali"]);
      await platform.heartbeat("s1", ["magali"]);
      await platform.write("s1", ["anouk"], 0);
      const id = await readAndLeave(platform);
      await platform.settle();
      expect(await platform.told("viewer")).toEqual(["magali ONLINE connected"]);
      await platform.redis.xclaim(HEARTBEAT_KEY, "presence", "another", "0", id, "IDLE", "20000");
      expect(await platform.functions.claim()).toBe(1);
      expect((await platform.told("viewer"))[1]).toBe("anouk ONLINE connected");
      expect(await platform.functions.claim()).toBe(0);
      expect((await platform.redis.xpending(HEARTBEAT_KEY, "presence"))[0]).toBe(0);
    });
  }

  if (runtime === "redis-functions") {
    test("an entry left lying takes nobody from who vouches for longer", async () => {
      const platform = await start();
      await platform.watch("viewer", ["anouk"]);
      await platform.heartbeat("s2", ["omar"], 500);
      const lyingMs = await platform.write("s1", ["anouk"], 400);
      const id = await readAndLeave(platform);
      const atMs = await platform.heartbeat("s2", ["anouk"]);
      await platform.redis.xclaim(HEARTBEAT_KEY, "presence", "another", "0", id, "IDLE", "20000");
      expect(await platform.functions.claim()).toBe(1);
      expect(await platform.redis.get(leaseKey("anouk"))).toBe("s2");
      expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
      expect(await platform.deadlineOf("anouk")).toBeLessThanOrEqual(atMs + LEASE_MS);
      expect(await platform.redis.zscore(holdersKey("anouk"), "s1")).toBe(String(lyingMs + LEASE_MS));
      await platform.functions.leave("s2", "anouk");
      expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
      expect(await platform.redis.get(leaseKey("anouk"))).toBe("s1");
    });
  }
});

/** A reader takes the next entry, and dies. @returns the entry's id */
async function readAndLeave({ redis }: TestPlatform): Promise<string> {
  await redis.xreadgroup("GROUP", "presence", "another", "COUNT", 1, "STREAMS", HEARTBEAT_KEY, ">");
  const [pending] = (await redis.xpending(HEARTBEAT_KEY, "presence", "-", "+", 1)) as [string][];
  return pending?.[0] ?? "";
}
