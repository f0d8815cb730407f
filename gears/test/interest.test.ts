import { contactKey, downstreamKey, leaseKey } from "@presence/protocol";
import { expect, test } from "vitest";
import { interestKey, SERVERS_KEY } from "../src/presence/keys.ts";
import { onEachRuntime } from "./on-each-runtime.ts";
import { LEASE_MS, type TestPlatform } from "./platform.ts";

/** Keys that are there whoever has come and gone. */
const LASTING_KEYS = ["heartbeat", "presence:records", "presence:state"];

async function writeContacts(platform: TestPlatform, lists: Record<string, readonly unknown[]>): Promise<void> {
  for (const [id, contacts] of Object.entries(lists)) {
    await platform.redis.set(contactKey(id), JSON.stringify({ id, name: id, contacts }));
  }
}

/** Whom a server was told of, in order. */
async function clientsTold(platform: TestPlatform, server: string): Promise<string[]> {
  return (await platform.announcements(server)).map(({ client }) => client);
}

async function keysLeft(platform: TestPlatform): Promise<string[]> {
  return (await platform.keys("*")).filter((key) => !LASTING_KEYS.includes(key)).toSorted();
}

onEachRuntime((start) => {
  test("a server is told exactly of those it watches", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.watch("s2", ["magali"]);
    await platform.watch("s3", []);
    await platform.heartbeat("s1", ["anouk", "magali", "omar"]);
    expect(await clientsTold(platform, "s1")).toEqual(["anouk", "magali"]);
    expect(await clientsTold(platform, "s2")).toEqual(["magali"]);
    expect(await platform.redis.exists(downstreamKey("s3"))).toBe(0);
  });

  // Few servers are each asked of all clients, of many the watchers of each client are.
  test.each([3, 20])("each of %i servers is told of those it watches of a crowd, in their order", async (count) => {
    const platform = await start();
    const crowd = Array.from({ length: 18 }, (_, index) => `client-${index}`);
    const servers = Array.from({ length: count }, (_, index) => `s${index}`);
    const watchedFrom = (server: number) => crowd.filter((_, index) => (index + server) % 4 < 2);
    for (const [index, server] of servers.entries()) await platform.watch(server, watchedFrom(index));
    await platform.heartbeat("s0", crowd);
    for (const [index, server] of servers.entries()) {
      expect(await clientsTold(platform, server)).toEqual(watchedFrom(index));
    }
    await platform.sweepPast((await platform.deadlineOf("client-0")) ?? 0);
    for (const [index, server] of servers.entries()) {
      const told = await platform.announcements(server);
      expect(
        told
          .filter(({ status }) => status === "OFFLINE")
          .map(({ client }) => client)
          .toSorted(),
      ).toEqual(watchedFrom(index).toSorted());
      expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, place) => place + 1));
    }
  });

  test("something else in the place of a server's stream keeps nothing from anybody", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.watch("s2", ["anouk", "magali"]);
    await platform.redis.rpush(downstreamKey("s1"), "not a stream");
    await platform.heartbeat("s3", ["anouk"]);
    await platform.heartbeat("s3", ["anouk", "magali"]);
    expect(platform.errors).toEqual([]);
    expect(await clientsTold(platform, "s1")).toEqual(["anouk", "magali"]);
    expect(await clientsTold(platform, "s2")).toEqual(["anouk", "magali"]);
  });

  test("something else in the place of a server's stream is gone when the server asks how things are", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk"]);
    await platform.redis.set(downstreamKey("s1"), "not a stream");
    await platform.functions.read("s1", "epoch", [], []);
    expect(await platform.announcements("s1")).toEqual([]);
    await platform.heartbeat("s2", ["anouk"]);
    await platform.functions.read("s1", "epoch", [], []);
    expect(await clientsTold(platform, "s1")).toEqual(["anouk"]);
  });

  test("a server that watches somebody no longer is told no more of them", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.heartbeat("s2", ["anouk", "magali"]);
    await platform.functions.unwatch("s1", ["anouk"]);
    await platform.redis.del(leaseKey("anouk"), leaseKey("magali"));
    await platform.settle();
    expect(await clientsTold(platform, "s1")).toEqual(["anouk", "magali", "magali"]);
  });

  test("a server that watches everyone is told of everyone, once", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: [] });
    await platform.watch("s1", ["*", "?", "anouk", "omar"]);
    await platform.heartbeat("s1", ["anouk", "magali", "omar"]);
    expect(await clientsTold(platform, "s1")).toEqual(["anouk", "magali", "omar"]);
  });

  test("one without a document is a guest, seen by all who see guests", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali"] });
    await platform.watch("s1", ["?"]);
    await platform.watch("s2", ["anouk"]);
    await platform.heartbeat("s3", ["anouk", "zoe"]);
    await platform.functions.leave("s3", "zoe");
    expect(await platform.announcements("s1")).toMatchObject([
      { client: "zoe", status: "ONLINE", guest: true },
      { client: "zoe", status: "OFFLINE", guest: true },
    ]);
    expect(await platform.announcements("s2")).toMatchObject([{ client: "anouk", status: "ONLINE", guest: false }]);
  });

  test("a guest stays one until it goes, also where it is given a document meanwhile", async () => {
    const platform = await start();
    await platform.watch("s1", ["?"]);
    await platform.heartbeat("s2", ["zoe"]);
    await writeContacts(platform, { zoe: ["anouk"] });
    expect([...(await platform.functions.read("s1", "epoch", [], [])).guests.keys()]).toEqual(["zoe"]);
    await platform.functions.leave("s2", "zoe");
    expect(await platform.announcements("s1")).toMatchObject([
      { client: "zoe", status: "ONLINE", guest: true },
      { client: "zoe", status: "OFFLINE", guest: true },
    ]);
  });

  test("what is read is the present state, and the guests who are online", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: [], magali: [] });
    await platform.heartbeat("s2", ["anouk", "zoe", "yves"]);
    await platform.functions.leave("s2", "yves");
    const readout = await platform.functions.read("s1", "an-epoch", ["anouk"], ["anouk", "magali"]);
    expect([...readout.records.keys()]).toEqual(["anouk"]);
    expect(readout.records.get("anouk")).toMatchObject({ status: "ONLINE", server: "s2" });
    expect([...readout.guests]).toMatchObject([["zoe", { status: "ONLINE", server: "s2" }]]);
    expect(readout).toMatchObject({ epoch: "an-epoch", sequence: 0 });
    await platform.functions.leave("s2", "anouk");
    const again = await platform.functions.read("s1", "another-epoch", [], []);
    expect(again).toMatchObject({ epoch: "an-epoch", sequence: 1 });
    const [offline] = await platform.announcements("s1");
    expect(offline?.version).toBeGreaterThan(Number(readout.version));
    expect(offline?.version).toBeLessThan(Number(again.version));
  });

  test("a server that only sends heartbeats is told of its clients' contacts, and of no others", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali", "omar"], magali: ["anouk"], omar: [], lea: ["anouk"] });
    await platform.heartbeat("plain", ["anouk"]);
    await platform.heartbeat("s2", ["magali", "lea"]);
    await platform.functions.leave("s2", "magali");
    await platform.functions.leave("s2", "lea");
    expect(await platform.told("plain")).toEqual(["magali ONLINE connected", "magali OFFLINE left"]);
    // The other is a plain server, too: anouk was in its clients' lists when she left.
    await platform.heartbeat("s2", ["magali"]);
    await platform.functions.leave("plain", "anouk");
    expect((await platform.told("s2")).at(-1)).toBe("anouk OFFLINE left");
  });

  test("a server that says whom it watches is told of no others any more", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali"], magali: [], omar: [] });
    await platform.heartbeat("s1", ["anouk"]);
    await platform.watch("s1", ["omar"]);
    await platform.heartbeat("s2", ["magali", "omar"]);
    expect(await clientsTold(platform, "s1")).toEqual(["omar"]);
  });

  test("a contact that two clients of a plain server list is told of until both are gone", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["omar", "omar"], magali: ["omar"], omar: [] });
    await platform.heartbeat("plain", ["anouk", "magali"]);
    await platform.functions.leave("plain", "anouk");
    await platform.heartbeat("s2", ["omar"]);
    await platform.functions.leave("plain", "magali");
    await platform.functions.leave("s2", "omar");
    expect(await platform.told("plain")).toEqual(["omar ONLINE connected"]);
  });

  test("a client that moves to a plain server brings its contacts", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["omar"], omar: [] });
    await platform.heartbeat("s1", ["anouk"]);
    await platform.heartbeat("plain", ["anouk"]);
    await platform.heartbeat("s1", ["omar"]);
    expect(await platform.told("plain")).toEqual(["omar ONLINE connected"]);
  });

  test("a guest on a plain server sees everyone, and a guest elsewhere is seen there", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: [], magali: [] });
    await platform.heartbeat("with-guest", ["zoe"]);
    await platform.heartbeat("without-guest", ["anouk"]);
    await platform.heartbeat("s3", ["magali", "yves"]);
    expect(await clientsTold(platform, "with-guest")).toEqual(["zoe", "anouk", "magali", "yves"]);
    expect(await clientsTold(platform, "without-guest")).toEqual(["yves"]);
  });

  test("a document that is written counts from the next connection on", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: [], omar: [] });
    await platform.heartbeat("plain", ["anouk"]);
    await writeContacts(platform, { anouk: ["omar"] });
    await platform.heartbeat("plain", ["anouk"]);
    await platform.heartbeat("s2", ["omar"]);
    expect(await platform.told("plain")).toEqual([]);
    await platform.functions.leave("plain", "anouk");
    await platform.heartbeat("plain", ["anouk"]);
    await platform.functions.leave("s2", "omar");
    expect(await platform.told("plain")).toEqual(["omar OFFLINE left"]);
  });

  test.each<[string, string]>([
    ["no JSON", "{"],
    ["null", "null"],
    ["a number", "5"],
    ["a list", '["omar"]'],
    ["without contacts", '{"id":"anouk"}'],
    ["with contacts that are no list", '{"contacts":{"0":"omar"}}'],
    ["with contacts that are no ids", '{"contacts":[null,5,true,["omar"],{"id":"omar"},"","*","?","omar x","o mar"]}'],
    ["nested very deeply", `{"contacts":${"[".repeat(2000)}${"]".repeat(2000)}}`],
  ])("a contact document that is %s lists nobody", async (_, document) => {
    const platform = await start();
    await writeContacts(platform, { magali: ["omar"], omar: [] });
    await platform.redis.set(contactKey("anouk"), document);
    await platform.heartbeat("plain", ["magali", "anouk"]);
    await platform.functions.leave("plain", "anouk");
    await platform.heartbeat("s2", ["omar", "lea-is-a-guest"]);
    expect(platform.errors).toEqual([]);
    expect(await clientsTold(platform, "plain")).toEqual(["omar", "lea-is-a-guest"]);
  });

  test("something else than a document in its place lists everyone it would a guest, and breaks nothing", async () => {
    const platform = await start();
    await platform.redis.rpush(contactKey("anouk"), "omar");
    await platform.heartbeat("plain", ["anouk"]);
    expect(platform.errors).toEqual([]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("plain");
  });

  test("sequence numbers have no gap, for each server", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.watch("s2", ["magali"]);
    for (let round = 0; round < 4; round += 1) {
      await platform.heartbeat("s1", ["anouk", "magali"]);
      await platform.redis.del(leaseKey("anouk"), leaseKey("magali"));
      await platform.settle();
    }
    const first = (await platform.announcements("s1")).map(({ sequence }) => sequence);
    const second = (await platform.announcements("s2")).map(({ sequence }) => sequence);
    expect(first).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    expect(second).toEqual(Array.from({ length: 8 }, (_, index) => index + 1));
    expect((await platform.functions.read("s1", "epoch", [], [])).sequence).toBe(16);
  });

  test("a server that is gone leaves no key behind, however it took part", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali"], magali: ["anouk"] });
    await platform.sweep();
    await platform.watch("joined", ["*", "?", "anouk", "omar"]);
    await platform.functions.read("only-read", "epoch", ["anouk", "magali"], ["anouk"]);
    await platform.heartbeat("plain", ["anouk", "zoe"], LEASE_MS - 900);
    await platform.heartbeat("joined", ["magali", "anouk"], LEASE_MS - 901);
    await platform.redis.del(contactKey("anouk"), contactKey("magali"));
    await platform.sweepUntil(async () => (await platform.redis.zcard(SERVERS_KEY)) === 0);
    await platform.sweep();
    expect(await keysLeft(platform)).toEqual([]);
  });

  test("a server that says goodbye leaves no key behind, at once", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali"] });
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.heartbeat("s1", ["anouk", "magali"]);
    await platform.functions.leave("s1", "anouk");
    await platform.functions.leave("s1", "magali");
    await platform.functions.forget("s1");
    expect(await keysLeft(platform)).toEqual([contactKey("anouk")]);
  });

  test("a large interest is forgotten in several steps, others go on, and nothing is left", async () => {
    const platform = await start();
    const watched = Array.from({ length: 2_500 }, (_, index) => `client-${index}`);
    await platform.watch("gone", watched);
    await platform.watch("stays", ["client-7"]);
    expect(await platform.redis.scard(interestKey("gone"))).toBe(2_500);
    await platform.redis.zadd(SERVERS_KEY, 1, "gone");
    await platform.functions.sweep(platform.run);
    expect(await platform.redis.scard(interestKey("gone"))).toBe(1_500);
    await platform.sweepUntil(async () => (await platform.redis.exists(interestKey("gone"))) === 0);
    await platform.heartbeat("s3", ["client-7", "client-8"]);
    expect(await platform.redis.exists(interestKey("gone"), downstreamKey("gone"))).toBe(0);
    expect(await platform.keys("presence:watchers:*")).toEqual(["presence:watchers:client-7"]);
    expect(await clientsTold(platform, "stays")).toEqual(["client-7"]);
  });

  test("a large interest is forgotten as a whole when its server says goodbye", async () => {
    const platform = await start();
    await platform.watch(
      "gone",
      Array.from({ length: 2_000 }, (_, index) => `client-${index}`),
    );
    await platform.functions.forget("gone");
    expect(await keysLeft(platform)).toEqual([]);
  });
});
