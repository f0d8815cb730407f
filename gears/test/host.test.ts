import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { HEARTBEAT_KEY, leaseKey } from "@presence/protocol";
import { RedisServer, type RedisServerOptions, TriggerHost as TriggerHostProcess } from "@presence/testkit";
import { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { missingFlags } from "../src/host/keyspace-subscriber.ts";
import { WINDOW_MS } from "../src/host/pace.ts";
import { startTriggerHost, type TriggerHost } from "../src/host/trigger-host.ts";
import { LIBRARY_VERSION } from "../src/library-version.ts";
import { STATE_KEY } from "../src/presence/keys.ts";
import { parseEvent } from "./platform.ts";

/** `d` and the lease of these tests, in ms. */
const INTERVAL_MS = 1000;
const LEASE_MS = 1500;
const LIBRARY = new URL("../dist/presence.lua", import.meta.url);
const logger = pino({ level: "silent" });

/** A Redis with a connection and helpers. */
class Setup {
  readonly server: RedisServer;
  readonly redis: Redis;

  private constructor(server: RedisServer, redis: Redis) {
    this.server = server;
    this.redis = redis;
  }

  static async start(options?: RedisServerOptions): Promise<Setup> {
    const server = await RedisServer.start(options);
    const redis = new Redis(server.url, { retryStrategy: () => 20 });
    redis.on("error", () => {});
    onTestFinished(async () => {
      redis.disconnect();
      await server.stop();
    });
    return new Setup(server, redis);
  }

  host({ url = this.server.url, intervalMs = INTERVAL_MS } = {}): TriggerHost {
    const host = startTriggerHost({ redisUrl: url, heartbeatIntervalMs: intervalMs, logger });
    onTestFinished(() => host.stop());
    return host;
  }

  /** A host that sweeps. */
  async workingHost(options?: { url?: string; intervalMs?: number }): Promise<TriggerHost> {
    const host = this.host(options);
    await expect.poll(() => host.status(), { timeout: 10_000 }).toMatchObject({ isWorking: true });
    return host;
  }

  /** A host in its own process. */
  async hostProcess(): Promise<TriggerHostProcess> {
    const before = await this.hostConnections();
    const host = await TriggerHostProcess.start({ redisUrl: this.server.url, heartbeatIntervalMs: INTERVAL_MS });
    onTestFinished(() => host.kill());
    await expect.poll(() => this.hostConnections(), { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 3);
    return host;
  }

  async hostConnections(): Promise<number> {
    return String(await this.redis.client("LIST")).match(/ name=presence-/g)?.length ?? 0;
  }

  /** Makes the server `viewer` receive all events. */
  async watchEveryone(): Promise<void> {
    await this.redis.sadd("presence:watchers:*", "viewer");
  }

  async heartbeat(server: string, ...clients: string[]): Promise<number> {
    const id = await this.redis.xadd(
      HEARTBEAT_KEY,
      "*",
      "server",
      server,
      ...clients.flatMap((each) => ["client", each]),
    );
    return Number(id?.split("-")[0]);
  }

  async events() {
    const entries = await this.redis.xrange("presence.viewer", "-", "+");
    return entries.map(([, fields]) => parseEvent(fields));
  }

  async published(): Promise<string[]> {
    return (await this.events()).map(({ client, status }) => `${client} ${status}`);
  }

  /** Waits until the first events are these. More may follow, because a slow machine may let leases expire. */
  async waitForEvents(expected: readonly string[], timeout = 10_000): Promise<void> {
    const firstEvents = async () => (await this.published()).slice(0, expected.length);
    await expect.poll(firstEvents, { timeout, interval: 20 }).toEqual(expected);
  }
}

/** The library with another version number. */
async function libraryOfVersion(version: number): Promise<string> {
  const code = await readFile(LIBRARY, "utf8");
  const other = code.replace("return library.version(keys, args)", `return ${version}`);
  expect(other).not.toBe(code);
  return other;
}

async function loadedVersion({ redis }: Setup): Promise<unknown> {
  return await redis.call("FCALL_RO", "presence_version", "0");
}

test("heartbeats and expiries in quick succession are processed together", async () => {
  const setup = await Setup.start();
  await setup.watchEveryone();
  const monitor = await setup.redis.monitor();
  onTestFinished(() => monitor.disconnect());
  const calls: { name: string; atMs: number }[] = [];
  monitor.on("monitor", (time: string, [command, name = ""]: string[]) => {
    if (command?.toLowerCase() === "fcall") calls.push({ name, atMs: 1_000 * Number(time) });
  });
  await setup.workingHost();
  const sending: Promise<number>[] = [];
  for (let index = 0; index < 200; index++) {
    sending.push(setup.heartbeat("mine", `client-${index}`));
    await delay(1);
  }
  const writtenMs = await Promise.all(sending);
  await expect.poll(async () => (await setup.published()).length, { timeout: 10_000 }).toBe(400);
  const [firstMs = 0, lastMs = 0] = [writtenMs[0], writtenMs.at(-1)];
  const countCalls = (called: string, laterMs: number) =>
    calls.filter(({ name, atMs }) => name === called && atMs >= firstMs + laterMs && atMs <= lastMs + laterMs).length;
  const most = (lastMs - firstMs) / WINDOW_MS + 10;
  expect(countCalls("presence_work", 0)).toBeLessThan(most);
  expect(countCalls("presence_sweep", LEASE_MS)).toBeLessThan(most);
});

test("a host checks leases changed by external programs, but not its own changes", async () => {
  const setup = await Setup.start();
  await setup.watchEveryone();
  // Started while Redis is idle: ioredis fails if another command's line follows the reply to MONITOR directly.
  const monitor = await setup.redis.monitor();
  onTestFinished(() => monitor.disconnect());
  const checked: string[] = [];
  monitor.on("monitor", (_time: string, [command, name, , , ...clients]: string[]) => {
    if (command?.toLowerCase() === "fcall" && name === "presence_check") checked.push(...clients);
  });
  const host = await setup.workingHost({ intervalMs: 60_000 });
  await expect.poll(() => host.status().warnings).toEqual([]);
  const clients = Array.from({ length: 30 }, (_, index) => `client-${index}`);
  await setup.heartbeat("s1", ...clients);
  await setup.redis.set(leaseKey("script"), "s1", "PX", 60_000);
  await expect.poll(() => setup.published()).toContain("script ONLINE");
  await setup.redis.del(leaseKey("client-7"));
  await expect.poll(() => setup.published()).toContain("client-7 OFFLINE");
  await setup.redis.multi().del(leaseKey("client-8")).set(leaseKey("client-8"), "s2", "PX", 50).exec();
  await expect.poll(() => setup.published()).toContain("client-8 OFFLINE");
  expect(new Set(checked)).toEqual(new Set(["script", "client-7", "client-8"]));
});

test("a host publishes the beginning and end of a lease", async () => {
  const setup = await Setup.start();
  await setup.watchEveryone();
  const host = await setup.workingHost();
  // Notifications are turned on after the first sweep.
  await expect
    .poll(() => host.status(), { timeout: 10_000 })
    .toEqual({ runtime: "redis-functions", isWorking: true, warnings: [] });
  const atMs = await setup.heartbeat("s1", "anouk");
  await setup.waitForEvents(["anouk ONLINE", "anouk OFFLINE"]);
  const [online, offline] = await setup.events();
  expect(online?.at).toBeLessThan(atMs + LEASE_MS);
  expect(offline).toMatchObject({ reason: "server-lost", due: atMs + LEASE_MS });
});

test("a replica that attaches between the starts of two hosts keeps no client ONLINE", async () => {
  const setup = await Setup.start();
  await setup.watchEveryone();
  await setup.workingHost();
  const replica = await RedisServer.start();
  onTestFinished(() => replica.stop());
  const replicationId = async () => /master_replid:(\w+)/.exec(await setup.redis.info("replication"))?.[1];
  const before = await replicationId();
  await replica.cli("REPLICAOF", "127.0.0.1", String(setup.server.port));
  // The first replica gives the data of a running primary another replication id.
  await expect.poll(replicationId, { timeout: 10_000 }).not.toBe(before);
  await setup.workingHost();
  const { epoch } = await setup.redis.hgetall(STATE_KEY);
  await setup.heartbeat("s1", "anouk");
  await setup.waitForEvents(["anouk ONLINE", "anouk OFFLINE"]);
  expect((await setup.redis.hgetall(STATE_KEY))["epoch"]).toBe(epoch);
});

test("several hosts share the work and publish each event once", async () => {
  const setup = await Setup.start();
  await setup.watchEveryone();
  await Promise.all([setup.workingHost(), setup.workingHost(), setup.workingHost()]);
  const clients = Array.from({ length: 60 }, (_, index) => `client-${index}`);
  await Promise.all(clients.map((client) => setup.heartbeat("s1", client)));
  await setup.redis.del(...clients.slice(0, 20).map(leaseKey));
  await expect.poll(async () => (await setup.published()).length, { timeout: 10_000 }).toBe(120);
  const events = await setup.events();
  for (const client of clients) {
    const own = events.filter((each) => each.client === client).map(({ status }) => status);
    expect(own).toEqual(["ONLINE", "OFFLINE"]);
  }
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
});

describe("a host that is killed", () => {
  test("loses no event while another host works", { timeout: 60_000 }, async () => {
    const setup = await Setup.start();
    await setup.watchEveryone();
    const [victim] = await Promise.all([setup.hostProcess(), setup.workingHost()]);
    const clients = Array.from({ length: 200 }, (_, index) => `client-${index}`);
    for (const [index, client] of clients.entries()) {
      await setup.heartbeat("s1", client);
      if (index === 100) void victim.kill();
    }
    await expect.poll(async () => (await setup.published()).length, { timeout: 20_000 }).toBe(400);
    expect((await setup.redis.xpending(HEARTBEAT_KEY, "presence"))[0]).toBe(0);
  });

  test("causes no false OFFLINE if another host starts later", { timeout: 60_000 }, async () => {
    const setup = await Setup.start();
    await setup.watchEveryone();
    const victim = await setup.hostProcess();
    await setup.heartbeat("s1", "anouk", "magali");
    await setup.waitForEvents(["anouk ONLINE", "magali ONLINE"]);
    await victim.kill();
    // Two heartbeats stay unread, and the leases expire.
    await delay(1000);
    await setup.heartbeat("s1", "anouk", "magali");
    await delay(1000);
    await setup.heartbeat("s1", "anouk", "omar");
    // The server goes on with its heartbeats while the host starts.
    const heartbeats = setInterval(() => void setup.heartbeat("s1", "anouk", "magali", "omar"), INTERVAL_MS / 4);
    onTestFinished(() => clearInterval(heartbeats));
    await setup.workingHost();
    await setup.waitForEvents(["anouk ONLINE", "magali ONLINE", "omar ONLINE"]);
    await delay(2 * INTERVAL_MS);
    expect(await setup.published()).toEqual(["anouk ONLINE", "magali ONLINE", "omar ONLINE"]);
  });
});

describe("the library", () => {
  test("replaces an older version", async () => {
    const setup = await Setup.start();
    await setup.redis.function("LOAD", await libraryOfVersion(LIBRARY_VERSION - 1));
    expect(await loadedVersion(setup)).toBe(LIBRARY_VERSION - 1);
    await setup.workingHost();
    expect(await loadedVersion(setup)).toBe(LIBRARY_VERSION);
  });

  test("is not loaded over a newer version", async () => {
    const setup = await Setup.start();
    await setup.redis.function("LOAD", await libraryOfVersion(LIBRARY_VERSION + 1));
    await setup.watchEveryone();
    await setup.workingHost();
    await setup.heartbeat("s1", "anouk");
    await setup.waitForEvents(["anouk ONLINE"]);
    expect(await loadedVersion(setup)).toBe(LIBRARY_VERSION + 1);
  });

  test("is not loaded over a newer version that is loaded at the same time", async () => {
    const setup = await Setup.start();
    const newer = setup.redis.duplicate();
    onTestFinished(() => newer.disconnect());
    await newer.ping();
    // Writes wait, so the host finds no library and loads its own after the newer one.
    await setup.redis.client("PAUSE", 1500, "WRITE");
    const loaded = newer.function("LOAD", await libraryOfVersion(LIBRARY_VERSION + 1));
    const host = setup.host();
    await loaded;
    await expect.poll(() => host.status(), { timeout: 10_000 }).toMatchObject({ isWorking: true });
    expect(await loadedVersion(setup)).toBe(LIBRARY_VERSION + 1);
  });

  test("replaces a foreign library of the same name", async () => {
    const setup = await Setup.start();
    await setup.redis.function("LOAD", "#!lua name=presence\nredis.register_function('other', function() end)");
    await setup.workingHost();
    expect(await loadedVersion(setup)).toBe(LIBRARY_VERSION);
  });

  test("is loaded again after FUNCTION FLUSH", async () => {
    const setup = await Setup.start();
    await setup.watchEveryone();
    await setup.workingHost();
    await setup.redis.function("FLUSH");
    await setup.heartbeat("s1", "anouk");
    await setup.waitForEvents(["anouk ONLINE"]);
  });
});

describe("keyspace notifications", () => {
  test("keep the flags that are already set", async () => {
    const setup = await Setup.start();
    await setup.redis.config("SET", "notify-keyspace-events", "Klm");
    await setup.workingHost();
    await expect.poll(() => flagsOf(setup)).toMatch(/(?=.*K)(?=.*E)(?=.*l)(?=.*m)(?=.*g)(?=.*x)(?=.*e)(?=.*n)/);
  });

  test("report leases that external programs delete, set or let expire", async () => {
    const setup = await Setup.start();
    await setup.watchEveryone();
    const host = await setup.workingHost({ intervalMs: 60_000 });
    await expect.poll(() => host.status().warnings).toEqual([]);
    await setup.heartbeat("s1", "anouk");
    await setup.waitForEvents(["anouk ONLINE"]);
    await setup.redis.del(leaseKey("anouk"));
    await setup.waitForEvents(["anouk ONLINE", "anouk OFFLINE"]);
    await setup.redis.set(leaseKey("magali"), "script", "PX", 150);
    await setup.waitForEvents(["anouk ONLINE", "anouk OFFLINE", "magali ONLINE", "magali OFFLINE"]);
  });

  test("cause a warning if CONFIG is not permitted, and the deadline clock publishes the events", async () => {
    const setup = await Setup.start();
    await setup.watchEveryone();
    await setup.redis.acl("SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", "-config");
    const host = await setup.workingHost({
      url: setup.server.url.replace("//", "//limited:secret@"),
      intervalMs: 3_000,
    });
    await expect
      .poll(() => host.status().warnings.join(), { timeout: 10_000 })
      .toMatch(/keyspace notifications.*NOPERM/i);
    await setup.heartbeat("s1", "anouk", "magali");
    await setup.waitForEvents(["anouk ONLINE", "magali ONLINE"]);
    await setup.redis.del(leaseKey("anouk"));
    await expect
      .poll(async () => (await setup.published()).slice(2).toSorted(), { timeout: 10_000 })
      .toEqual(["anouk OFFLINE", "magali OFFLINE"]);
    expect(await flagsOf(setup)).toBe("");
  });

  test.each([
    ["", "Egxen"],
    ["AKE", "n"],
    ["KEA", "n"],
    ["Kgx", "Een"],
    ["Egxen", ""],
  ])("with flags %j lack %j", (flags, missing) => {
    expect(missingFlags(flags)).toBe(missing);
  });
});

describe("a host recovers", () => {
  test("when Redis starts after it", async () => {
    const setup = await Setup.start();
    await setup.server.kill();
    const host = setup.host();
    await delay(300);
    expect(host.status()).toMatchObject({ runtime: undefined, isWorking: false });
    await setup.server.restart();
    await setup.watchEveryone();
    await setup.heartbeat("s1", "anouk");
    await setup.waitForEvents(["anouk ONLINE"], 15_000);
  });

  test("when Redis was suspended for longer than the socket timeout", { timeout: 60_000 }, async () => {
    const setup = await Setup.start();
    await setup.watchEveryone();
    // Longer than usual, so that leases outlast a stall of the test.
    const intervalMs = 4_000;
    const host = await setup.workingHost({ intervalMs });
    await setup.heartbeat("s1", "anouk");
    await setup.waitForEvents(["anouk ONLINE"]);
    setup.server.pause();
    await expect.poll(() => host.status().isWorking, { timeout: 10_000 }).toBe(false);
    await delay(6_000);
    setup.server.resume();
    await setup.heartbeat("s1", "anouk");
    await expect.poll(() => host.status().isWorking, { timeout: 10_000 }).toBe(true);
    for (let beat = 0; beat < 4; beat += 1) {
      await setup.heartbeat("s1", "anouk", "magali");
      await delay(intervalMs / 2);
    }
    expect(await setup.published()).toEqual(["anouk ONLINE", "magali ONLINE"]);
  });

  test("when Redis restarts with its data, without ending leases that expired in the meantime", async () => {
    const setup = await Setup.start({ isPersistent: true });
    await setup.watchEveryone();
    // Longer than usual, so that leases outlast a stall of the test.
    const intervalMs = 3_000;
    await setup.workingHost({ intervalMs });
    await setup.heartbeat("s1", "anouk", "magali");
    await setup.waitForEvents(["anouk ONLINE", "magali ONLINE"]);
    await setup.server.kill();
    await delay(1.5 * intervalMs);
    await setup.server.restart();
    // The server sends heartbeats again, for one of the two clients.
    const isMagaliGone = async () => {
      await setup.heartbeat("s1", "anouk");
      return await setup.published();
    };
    await delay(intervalMs / 2);
    await expect.poll(isMagaliGone, { timeout: 15_000, interval: 200 }).toContain("magali OFFLINE");
    const [, , offline, ...more] = await setup.events();
    expect(offline).toMatchObject({ client: "magali", reason: "timed-out" });
    expect(more).toEqual([]);
  });

  test("when Redis restarts without data", async () => {
    const setup = await Setup.start();
    const host = await setup.workingHost();
    await setup.server.restartEmpty();
    await setup.watchEveryone();
    await setup.heartbeat("s1", "anouk");
    await setup.waitForEvents(["anouk ONLINE"]);
    // Notifications must be turned on again.
    await expect.poll(() => host.status().warnings, { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => flagsOf(setup), { timeout: 10_000 }).not.toBe("");
  });

  test("when its connections are killed", async () => {
    const setup = await Setup.start();
    await setup.watchEveryone();
    await setup.workingHost({ intervalMs: 20_000 });
    await expect.poll(() => flagsOf(setup)).not.toBe("");
    for (const type of ["NORMAL", "PUBSUB"]) await setup.redis.call("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
    await setup.heartbeat("s1", "anouk");
    await setup.waitForEvents(["anouk ONLINE"]);
    await expect.poll(() => setup.redis.pubsub("NUMSUB", "__keyevent@0__:del")).toContain(1);
    await setup.redis.del(leaseKey("anouk"));
    await setup.waitForEvents(["anouk ONLINE", "anouk OFFLINE"]);
  });
});

test("OFFLINE is published at the end of the lease, among a thousand live leases", { timeout: 60_000 }, async () => {
  const setup = await Setup.start();
  await setup.watchEveryone();
  await setup.workingHost({ intervalMs: 6_000 });
  const living = Array.from({ length: 1000 }, (_, index) => `living-${index}`);
  const expiring = Array.from({ length: 50 }, (_, index) => `expiring-${index}`);
  for (const client of expiring) {
    await setup.heartbeat("s1", client);
    // Spreads the deadlines over a tick of 600 ms, so that none of the ticks is near most of them.
    await delay(12);
  }
  await setup.heartbeat("s2", ...living);
  // Rare, because processing a heartbeat may end due leases too, without the deadline clock.
  const heartbeats = setInterval(() => void setup.heartbeat("s2", ...living), 3_000);
  onTestFinished(() => clearInterval(heartbeats));
  const readOffline = async () => (await setup.events()).filter(({ status }) => status === "OFFLINE");
  await expect.poll(async () => (await readOffline()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(50);
  const offline = await readOffline();
  expect(offline.map(({ client }) => client).toSorted()).toEqual(expiring.toSorted());
  const lags = offline.map(({ at, due }) => at - (due ?? 0)).toSorted((a, b) => a - b);
  expect(lags[0]).toBeGreaterThanOrEqual(0);
  // The median, because a busy machine may stall the host. Without deadlines, only the 600 ms tick would end the leases.
  expect(lags[lags.length >> 1]).toBeLessThanOrEqual(100);
});

test("when many leases end at once, each is published once, and so is an external change", async () => {
  const setup = await Setup.start();
  await setup.watchEveryone();
  const host = await setup.workingHost({ intervalMs: 3_000 });
  await expect.poll(() => host.status().warnings).toEqual([]);
  const clients = Array.from({ length: 3000 }, (_, index) => `client-${index}`);
  for (let start = 0; start < clients.length; start += 500)
    await setup.heartbeat("s1", ...clients.slice(start, start + 500));
  await setup.redis.set(leaseKey("script"), "s2", "PX", 60_000);
  await expect.poll(async () => (await setup.published()).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3001);
  await expect
    .poll(async () => (await setup.published()).length, { timeout: 10_000, interval: 1 })
    .toBeGreaterThan(3001);
  await setup.redis.del(leaseKey("script"));
  await expect.poll(async () => (await setup.published()).length, { timeout: 20_000 }).toBe(6002);
  const ended = (await setup.events()).filter(({ status }) => status === "OFFLINE");
  expect(ended.map(({ client }) => client).toSorted()).toEqual([...clients, "script"].toSorted());
  expect(ended.find(({ client }) => client === "script")?.reason).toBe("left");
});

describe("a host that stops", () => {
  test("closes all connections", async () => {
    const setup = await Setup.start();
    const host = await setup.workingHost();
    expect(await setup.hostConnections()).toBeGreaterThanOrEqual(2);
    await host.stop();
    await expect.poll(() => setup.hostConnections()).toBe(0);
    await delay(300);
    expect(await setup.hostConnections()).toBe(0);
  });

  test("closes all connections during its start and while Redis is down", async () => {
    const setup = await Setup.start();
    for (let afterMs = 0; afterMs < 20; afterMs += 2) {
      const host = setup.host();
      await delay(afterMs);
      await host.stop();
    }
    await expect.poll(() => setup.hostConnections()).toBe(0);
    await setup.server.kill();
    const host = setup.host();
    await delay(200);
    await host.stop();
    await setup.server.restart();
    await delay(500);
    expect(await setup.hostConnections()).toBe(0);
  });
});

async function flagsOf({ redis }: Setup): Promise<string> {
  const reply = await redis.config("GET", "notify-keyspace-events");
  return String(Array.isArray(reply) ? reply[1] : Object.values(reply as object)[0]);
}
