import { contactKey, downstreamKey, leaseKey } from "@presence/protocol";
import { expect, test } from "vitest";
import { interestKey, SERVERS_KEY } from "../src/presence/keys.ts";
import { onEachRuntime } from "./on-each-runtime.ts";
import { LEASE_MS, type TestPlatform } from "./platform.ts";

/** Keys that remain after all clients and servers are gone. */
const LASTING_KEYS = ["heartbeat", "presence:records", "presence:state"];

async function writeContacts(platform: TestPlatform, lists: Record<string, readonly unknown[]>): Promise<void> {
  for (const [id, contacts] of Object.entries(lists)) {
    await platform.redis.set(contactKey(id), JSON.stringify({ id, name: id, contacts }));
  }
}

/** The clients of a server's events, in order. */
async function clientsOfEvents(platform: TestPlatform, server: string): Promise<string[]> {
  return (await platform.events(server)).map(({ client }) => client);
}

async function keysLeft(platform: TestPlatform): Promise<string[]> {
  return (await platform.keys("*")).filter((key) => !LASTING_KEYS.includes(key)).toSorted();
}

onEachRuntime((start) => {
  test("a server receives events of exactly the clients that it watches", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.watch("s2", ["magali"]);
    await platform.watch("s3", []);
    await platform.heartbeat("s1", ["anouk", "magali", "omar"]);
    expect(await clientsOfEvents(platform, "s1")).toEqual(["anouk", "magali"]);
    expect(await clientsOfEvents(platform, "s2")).toEqual(["magali"]);
    expect(await platform.redis.exists(downstreamKey("s3"))).toBe(0);
  });

  // With few servers, each server's interest is read; with many servers, each client's watchers are read.
  test.each([3, 20])(
    "each of %i servers receives the events of the clients that it watches, in order",
    async (count) => {
      // A long lease, so that no server counts as lost while a slow machine sets up the interest of all servers.
      const intervalMs = 20_000;
      const platform = await start(intervalMs);
      const clients = Array.from({ length: 18 }, (_, index) => `client-${index}`);
      const servers = Array.from({ length: count }, (_, index) => `s${index}`);
      const watchedFrom = (server: number) => clients.filter((_, index) => (index + server) % 4 < 2);
      for (const [index, server] of servers.entries()) await platform.watch(server, watchedFrom(index));
      await platform.heartbeat("s0", clients, 1.5 * intervalMs - 5_000);
      for (const [index, server] of servers.entries()) {
        expect(await clientsOfEvents(platform, server)).toEqual(watchedFrom(index));
      }
      await platform.sweepPast((await platform.deadlineOf("client-0")) ?? 0);
      for (const [index, server] of servers.entries()) {
        const published = await platform.events(server);
        expect(
          published
            .filter(({ status }) => status === "OFFLINE")
            .map(({ client }) => client)
            .toSorted(),
        ).toEqual(watchedFrom(index).toSorted());
        const [first] = published;
        expect(published.map(({ sequence }) => sequence)).toEqual(
          published.map((_, place) => (first?.sequence ?? 0) + place),
        );
      }
    },
  );

  test("a server's stream key with another type is replaced, and no event is lost", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.watch("s2", ["anouk", "magali"]);
    await platform.redis.rpush(downstreamKey("s1"), "not a stream");
    await platform.heartbeat("s3", ["anouk"]);
    await platform.heartbeat("s3", ["anouk", "magali"]);
    expect(platform.errors).toEqual([]);
    expect(await clientsOfEvents(platform, "s1")).toEqual(["anouk", "magali"]);
    expect(await clientsOfEvents(platform, "s2")).toEqual(["anouk", "magali"]);
  });

  test("read deletes a server's stream key with another type", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk"]);
    await platform.redis.set(downstreamKey("s1"), "not a stream");
    await platform.functions.read("s1", "epoch", [], []);
    expect(await platform.events("s1")).toEqual([]);
    await platform.heartbeat("s2", ["anouk"]);
    await platform.functions.read("s1", "epoch", [], []);
    expect(await clientsOfEvents(platform, "s1")).toEqual(["anouk"]);
  });

  test("a server receives no more events of a client after unwatch", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.heartbeat("s2", ["anouk", "magali"]);
    await platform.functions.unwatch("s1", ["anouk"]);
    await platform.redis.del(leaseKey("anouk"), leaseKey("magali"));
    await platform.settle();
    expect(await clientsOfEvents(platform, "s1")).toEqual(["anouk", "magali", "magali"]);
  });

  test("a server that watches everyone receives each event once", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: [] });
    await platform.watch("s1", ["*", "?", "anouk", "omar"]);
    await platform.heartbeat("s1", ["anouk", "magali", "omar"]);
    expect(await clientsOfEvents(platform, "s1")).toEqual(["anouk", "magali", "omar"]);
  });

  test("a client without a document is a guest, and servers that watch guests receive its events", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali"] });
    await platform.watch("s1", ["?"]);
    await platform.watch("s2", ["anouk"]);
    await platform.heartbeat("s3", ["anouk", "zoe"]);
    await platform.functions.leave("s3", "zoe");
    expect(await platform.events("s1")).toMatchObject([
      { client: "zoe", status: "ONLINE", guest: true },
      { client: "zoe", status: "OFFLINE", guest: true },
    ]);
    expect(await platform.events("s2")).toMatchObject([{ client: "anouk", status: "ONLINE", guest: false }]);
  });

  test("a guest that is given a document stays a guest until it goes offline", async () => {
    const platform = await start();
    await platform.watch("s1", ["?"]);
    await platform.heartbeat("s2", ["zoe"]);
    await writeContacts(platform, { zoe: ["anouk"] });
    expect([...(await platform.functions.read("s1", "epoch", [], [])).guests.keys()]).toEqual(["zoe"]);
    await platform.functions.leave("s2", "zoe");
    expect(await platform.events("s1")).toMatchObject([
      { client: "zoe", status: "ONLINE", guest: true },
      { client: "zoe", status: "OFFLINE", guest: true },
    ]);
  });

  test("read returns the current state and the online guests", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: [], magali: [] });
    await platform.heartbeat("s2", ["anouk", "zoe", "yves"]);
    await platform.functions.leave("s2", "yves");
    const snapshot = await platform.functions.read("s1", "an-epoch", ["anouk"], ["anouk", "magali"]);
    expect([...snapshot.records.keys()]).toEqual(["anouk"]);
    expect(snapshot.records.get("anouk")).toMatchObject({ status: "ONLINE", server: "s2" });
    expect([...snapshot.guests]).toMatchObject([["zoe", { status: "ONLINE", server: "s2" }]]);
    expect(snapshot).toMatchObject({ epoch: "an-epoch" });
    await platform.functions.leave("s2", "anouk");
    const again = await platform.functions.read("s1", "another-epoch", [], []);
    expect(again).toMatchObject({ epoch: "an-epoch", sequence: snapshot.sequence + 1 });
    const [offline] = await platform.events("s1");
    expect(offline?.version).toBeGreaterThan(Number(snapshot.version));
    expect(offline?.version).toBeLessThan(Number(again.version));
  });

  test("an external server receives events of exactly its clients' contacts", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali", "omar"], magali: ["anouk"], omar: [], lea: ["anouk"] });
    await platform.heartbeat("external", ["anouk"]);
    await platform.heartbeat("s2", ["magali", "lea"]);
    await platform.functions.leave("s2", "magali");
    await platform.functions.leave("s2", "lea");
    expect(await platform.published("external")).toEqual(["magali ONLINE connected", "magali OFFLINE left"]);
    // s2 is an external server too, and its client magali lists anouk.
    await platform.heartbeat("s2", ["magali"]);
    await platform.functions.leave("external", "anouk");
    expect((await platform.published("s2")).at(-1)).toBe("anouk OFFLINE left");
  });

  test("after join, a server receives events only of the clients that it watches", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali"], magali: [], omar: [] });
    await platform.heartbeat("s1", ["anouk"]);
    await platform.watch("s1", ["omar"]);
    await platform.heartbeat("s2", ["magali", "omar"]);
    expect(await clientsOfEvents(platform, "s1")).toEqual(["omar"]);
  });

  test("an external server receives the events of a contact until both clients that list it are gone", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["omar", "omar"], magali: ["omar"], omar: [] });
    await platform.heartbeat("external", ["anouk", "magali"]);
    await platform.functions.leave("external", "anouk");
    await platform.heartbeat("s2", ["omar"]);
    await platform.functions.leave("external", "magali");
    await platform.functions.leave("s2", "omar");
    expect(await platform.published("external")).toEqual(["omar ONLINE connected"]);
  });

  test("a client that moves to an external server brings its contact list", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["omar"], omar: [] });
    await platform.heartbeat("s1", ["anouk"]);
    await platform.heartbeat("external", ["anouk"]);
    await platform.heartbeat("s1", ["omar"]);
    expect(await platform.published("external")).toEqual(["omar ONLINE connected"]);
  });

  test("a guest on an external server sees everyone, and external servers see all guests", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: [], magali: [] });
    await platform.heartbeat("with-guest", ["zoe"]);
    await platform.heartbeat("without-guest", ["anouk"]);
    await platform.heartbeat("s3", ["magali", "yves"]);
    expect(await clientsOfEvents(platform, "with-guest")).toEqual(["zoe", "anouk", "magali", "yves"]);
    expect(await clientsOfEvents(platform, "without-guest")).toEqual(["yves"]);
  });

  test("a new contact document takes effect at the client's next connection", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: [], omar: [] });
    await platform.heartbeat("external", ["anouk"]);
    await writeContacts(platform, { anouk: ["omar"] });
    await platform.heartbeat("external", ["anouk"]);
    await platform.heartbeat("s2", ["omar"]);
    expect(await platform.published("external")).toEqual([]);
    await platform.functions.leave("external", "anouk");
    await platform.heartbeat("external", ["anouk"]);
    await platform.functions.leave("s2", "omar");
    expect(await platform.published("external")).toEqual(["omar OFFLINE left"]);
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
  ])("a contact document that is %s has no contacts", async (_, document) => {
    const platform = await start();
    await writeContacts(platform, { magali: ["omar"], omar: [] });
    await platform.redis.set(contactKey("anouk"), document);
    await platform.heartbeat("external", ["magali", "anouk"]);
    await platform.functions.leave("external", "anouk");
    await platform.heartbeat("s2", ["omar", "lea-is-a-guest"]);
    expect(platform.errors).toEqual([]);
    expect(await clientsOfEvents(platform, "external")).toEqual(["omar", "lea-is-a-guest"]);
  });

  test("a contact key with another type counts as a missing document", async () => {
    const platform = await start();
    await platform.redis.rpush(contactKey("anouk"), "omar");
    await platform.heartbeat("external", ["anouk"]);
    expect(platform.errors).toEqual([]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("external");
  });

  test("sequence numbers of each server have no gap", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.watch("s2", ["magali"]);
    for (let round = 0; round < 4; round += 1) {
      await platform.heartbeat("s1", ["anouk", "magali"]);
      await platform.redis.del(leaseKey("anouk"), leaseKey("magali"));
      await platform.settle();
    }
    const first = (await platform.events("s1")).map(({ sequence }) => sequence);
    const second = (await platform.events("s2")).map(({ sequence }) => sequence);
    expect(first).toEqual(Array.from({ length: 16 }, (_, index) => (first[0] ?? 0) + index));
    expect(second).toEqual(Array.from({ length: 8 }, (_, index) => (second[0] ?? 0) + index));
    expect((await platform.functions.read("s1", "epoch", [], [])).sequence).toBe(first.at(-1));
  });

  test("a server that was forgotten does not continue the old sequence numbers", async () => {
    const platform = await start();
    await platform.watch("s1", ["anouk"]);
    await platform.heartbeat("s2", ["anouk"]);
    const { sequence: before } = await platform.functions.read("s1", "epoch", [], []);
    await platform.functions.forget("s1");
    await platform.watch("s1", ["anouk"]);
    await platform.functions.leave("s2", "anouk");
    const [offline] = await platform.events("s1");
    expect(offline?.sequence).toBeGreaterThan(before + 1);
  });

  test("a lost server leaves no key, whether it joined, only read or only sent heartbeats", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali"], magali: ["anouk"] });
    await platform.sweep();
    await platform.watch("joined", ["*", "?", "anouk", "omar"]);
    await platform.functions.read("only-read", "epoch", ["anouk", "magali"], ["anouk"]);
    await platform.heartbeat("external", ["anouk", "zoe"], LEASE_MS - 900);
    await platform.heartbeat("joined", ["magali", "anouk"], LEASE_MS - 901);
    await platform.redis.del(contactKey("anouk"), contactKey("magali"));
    await platform.sweepUntil(async () => (await platform.redis.zcard(SERVERS_KEY)) === 0);
    await platform.sweep();
    expect(await keysLeft(platform)).toEqual([]);
  });

  test("forget removes all keys of a server immediately", async () => {
    const platform = await start();
    await writeContacts(platform, { anouk: ["magali"] });
    await platform.watch("s1", ["anouk", "magali"]);
    await platform.heartbeat("s1", ["anouk", "magali"]);
    await platform.functions.leave("s1", "anouk");
    await platform.functions.leave("s1", "magali");
    await platform.functions.forget("s1");
    expect(await keysLeft(platform)).toEqual([contactKey("anouk")]);
  });

  test("a large interest is removed in several steps without affecting other servers", async () => {
    const platform = await start();
    const watched = Array.from({ length: 2_500 }, (_, index) => `client-${index}`);
    await platform.watch("gone", watched);
    await platform.watch("stays", ["client-7"]);
    expect(await platform.redis.scard(interestKey("gone"))).toBe(2_500);
    await platform.redis.zadd(SERVERS_KEY, 1, "gone");
    await platform.functions.sweep();
    expect(await platform.redis.scard(interestKey("gone"))).toBe(1_500);
    await platform.sweepUntil(async () => (await platform.redis.exists(interestKey("gone"))) === 0);
    await platform.heartbeat("s3", ["client-7", "client-8"]);
    expect(await platform.redis.exists(interestKey("gone"), downstreamKey("gone"))).toBe(0);
    expect(await platform.keys("presence:watchers:*")).toEqual(["presence:watchers:client-7"]);
    expect(await clientsOfEvents(platform, "stays")).toEqual(["client-7"]);
  });

  test("forget removes a large interest completely", async () => {
    const platform = await start();
    await platform.watch(
      "gone",
      Array.from({ length: 2_000 }, (_, index) => `client-${index}`),
    );
    await platform.functions.forget("gone");
    expect(await keysLeft(platform)).toEqual([]);
  });
});
