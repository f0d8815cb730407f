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
import { readAnnouncement } from "./platform.ts";

/** `d` and the lease of these tests, in ms. */
const INTERVAL_MS = 1000;
const LEASE_MS = 1500;
const LIBRARY = new URL("../dist/presence.lua", import.meta.url);
const logger = pino({ level: "silent" });

/** A Redis, and a hand in it. */
class Stage {
  readonly server: RedisServer;
  readonly redis: Redis;

  private constructor(server: RedisServer, redis: Redis) {
    this.server = server;
    this.redis = redis;
  }

  static async set(options?: RedisServerOptions): Promise<Stage> {
    const server = await RedisServer.start(options);
    const redis = new Redis(server.url, { retryStrategy: () => 20 });
    redis.on("error", () => {});
    onTestFinished(async () => {
      redis.disconnect();
      await server.stop();
    });
    return new Stage(server, redis);
  }

  host({ url = this.server.url, intervalMs = INTERVAL_MS } = {}): TriggerHost {
    const host = startTriggerHost({ redisUrl: url, heartbeatIntervalMs: intervalMs, logger });
    onTestFinished(() => host.stop());
    return host;
  }

  /** A host that has found out all it needs to know. */
  async workingHost(options?: { url?: string; intervalMs?: number }): Promise<TriggerHost> {
    const host = this.host(options);
    await expect.poll(() => host.status(), { timeout: 10_000 }).toMatchObject({ isWorking: true });
    return host;
  }

  /** A host in a process of its own. */
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

  /** `viewer` is told of everyone. */
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

  async announcements() {
    const entries = await this.redis.xrange("presence.viewer", "-", "+");
    return entries.map(([, fields]) => readAnnouncement(fields));
  }

  async told(): Promise<string[]> {
    return (await this.announcements()).map(({ client, status }) => `${client} ${status}`);
  }

  async untilTold(expected: readonly string[], timeout = 10_000): Promise<void> {
    await expect.poll(() => this.told(), { timeout, interval: 20 }).toEqual(expected);
  }
}

/** The library as another version of it would be. */
async function libraryOfVersion(version: number): Promise<string> {
  const code = await readFile(LIBRARY, "utf8");
  const other = code.replace("return library.version(keys, args)", `return ${version}`);
  expect(other).not.toBe(code);
  return other;
}

async function loadedVersion({ redis }: Stage): Promise<unknown> {
  return await redis.call("FCALL_RO", "presence_version", "0");
}

test("heartbeats and ends of leases in quick succession are worked off together", async () => {
  const stage = await Stage.set();
  await stage.watchEveryone();
  const monitor = await stage.redis.monitor();
  onTestFinished(() => monitor.disconnect());
  const calls: { name: string; atMs: number }[] = [];
  monitor.on("monitor", (time: string, [command, name = ""]: string[]) => {
    if (command?.toLowerCase() === "fcall") calls.push({ name, atMs: 1_000 * Number(time) });
  });
  await stage.workingHost();
  const sending: Promise<number>[] = [];
  for (let index = 0; index < 200; index++) {
    sending.push(stage.heartbeat("mine", `client-${index}`));
    await delay(1);
  }
  const toldMs = await Promise.all(sending);
  await expect.poll(async () => (await stage.told()).length, { timeout: 10_000 }).toBe(400);
  const [firstMs = 0, lastMs = 0] = [toldMs[0], toldMs.at(-1)];
  const countCalls = (called: string, laterMs: number) =>
    calls.filter(({ name, atMs }) => name === called && atMs >= firstMs + laterMs && atMs <= lastMs + laterMs).length;
  const most = (lastMs - firstMs) / WINDOW_MS + 10;
  expect(countCalls("presence_work", 0)).toBeLessThan(most);
  expect(countCalls("presence_sweep", LEASE_MS)).toBeLessThan(most);
});

test("a host checks what another hand did to leases, and not what the platform did itself", async () => {
  const stage = await Stage.set();
  await stage.watchEveryone();
  // Before anybody has much to say: the library stumbles over a command of another's right behind the answer to its own.
  const monitor = await stage.redis.monitor();
  onTestFinished(() => monitor.disconnect());
  const checked: string[] = [];
  monitor.on("monitor", (_time: string, [command, name, , , ...clients]: string[]) => {
    if (command?.toLowerCase() === "fcall" && name === "presence_check") checked.push(...clients);
  });
  const host = await stage.workingHost({ intervalMs: 60_000 });
  await expect.poll(() => host.status().warnings).toEqual([]);
  const clients = Array.from({ length: 30 }, (_, index) => `client-${index}`);
  await stage.heartbeat("s1", ...clients);
  await stage.redis.set(leaseKey("by-hand"), "s1", "PX", 60_000);
  await expect.poll(() => stage.told()).toContain("by-hand ONLINE");
  await stage.redis.del(leaseKey("client-7"));
  await expect.poll(() => stage.told()).toContain("client-7 OFFLINE");
  await stage.redis.multi().del(leaseKey("client-8")).set(leaseKey("client-8"), "s2", "PX", 50).exec();
  await expect.poll(() => stage.told()).toContain("client-8 OFFLINE");
  expect(new Set(checked)).toEqual(new Set(["by-hand", "client-7", "client-8"]));
});

test("a host tells of a lease's beginning and end", async () => {
  const stage = await Stage.set();
  await stage.watchEveryone();
  const host = await stage.workingHost();
  expect(host.status()).toEqual({ runtime: "redis-functions", isWorking: true, warnings: [] });
  const atMs = await stage.heartbeat("s1", "anouk");
  await stage.untilTold(["anouk ONLINE", "anouk OFFLINE"]);
  const [online, offline] = await stage.announcements();
  expect(online?.at).toBeLessThan(atMs + 500);
  expect(offline).toMatchObject({ reason: "server-lost", due: atMs + LEASE_MS });
});

test("several hosts share the work, and tell everything once", async () => {
  const stage = await Stage.set();
  await stage.watchEveryone();
  await Promise.all([stage.workingHost(), stage.workingHost(), stage.workingHost()]);
  const clients = Array.from({ length: 60 }, (_, index) => `client-${index}`);
  await Promise.all(clients.map((client) => stage.heartbeat("s1", client)));
  await stage.redis.del(...clients.slice(0, 20).map(leaseKey));
  await expect.poll(async () => (await stage.told()).length, { timeout: 10_000 }).toBe(120);
  const announcements = await stage.announcements();
  for (const client of clients) {
    const own = announcements.filter((each) => each.client === client).map(({ status }) => status);
    expect(own).toEqual(["ONLINE", "OFFLINE"]);
  }
  expect(announcements.map(({ sequence }) => sequence)).toEqual(announcements.map((_, index) => index + 1));
});

describe("a host that is killed", () => {
  test("loses nothing, while another works", { timeout: 60_000 }, async () => {
    const stage = await Stage.set();
    await stage.watchEveryone();
    const [doomed] = await Promise.all([stage.hostProcess(), stage.workingHost()]);
    const clients = Array.from({ length: 200 }, (_, index) => `client-${index}`);
    for (const [index, client] of clients.entries()) {
      await stage.heartbeat("s1", client);
      if (index === 100) void doomed.kill();
    }
    await expect.poll(async () => (await stage.told()).length, { timeout: 20_000 }).toBe(400);
    expect((await stage.redis.xpending(HEARTBEAT_KEY, "presence"))[0]).toBe(0);
  });

  test("loses nothing, when another takes its place later", { timeout: 60_000 }, async () => {
    const stage = await Stage.set();
    await stage.watchEveryone();
    const doomed = await stage.hostProcess();
    await stage.heartbeat("s1", "anouk", "magali");
    await stage.untilTold(["anouk ONLINE", "magali ONLINE"]);
    await doomed.kill();
    // Two heartbeats lie there unread, and the leases run out.
    await delay(1000);
    await stage.heartbeat("s1", "anouk", "magali");
    await delay(1000);
    await stage.heartbeat("s1", "anouk", "omar");
    await stage.workingHost();
    await stage.heartbeat("s1", "anouk", "magali", "omar");
    await stage.untilTold(["anouk ONLINE", "magali ONLINE", "omar ONLINE"]);
    await delay(INTERVAL_MS / 2);
    await stage.untilTold(["anouk ONLINE", "magali ONLINE", "omar ONLINE"]);
  });
});

describe("the library", () => {
  test("is loaded where there is none, and where there is an older one", async () => {
    const stage = await Stage.set();
    await stage.redis.function("LOAD", await libraryOfVersion(LIBRARY_VERSION - 1));
    expect(await loadedVersion(stage)).toBe(LIBRARY_VERSION - 1);
    await stage.workingHost();
    expect(await loadedVersion(stage)).toBe(LIBRARY_VERSION);
  });

  test("stays where it is a newer one", async () => {
    const stage = await Stage.set();
    await stage.redis.function("LOAD", await libraryOfVersion(LIBRARY_VERSION + 1));
    await stage.watchEveryone();
    await stage.workingHost();
    await stage.heartbeat("s1", "anouk");
    await stage.untilTold(["anouk ONLINE"]);
    expect(await loadedVersion(stage)).toBe(LIBRARY_VERSION + 1);
  });

  test("isn't put over a newer one that comes at the same moment", async () => {
    const stage = await Stage.set();
    const newer = stage.redis.duplicate();
    onTestFinished(() => newer.disconnect());
    await newer.ping();
    // What writes has to wait, so the host finds no library, and loads its own after the other.
    await stage.redis.client("PAUSE", 1500, "WRITE");
    const loaded = newer.function("LOAD", await libraryOfVersion(LIBRARY_VERSION + 1));
    const host = stage.host();
    await loaded;
    await expect.poll(() => host.status(), { timeout: 10_000 }).toMatchObject({ isWorking: true });
    expect(await loadedVersion(stage)).toBe(LIBRARY_VERSION + 1);
  });

  test("takes the place of another's of the same name", async () => {
    const stage = await Stage.set();
    await stage.redis.function("LOAD", "#!lua name=presence\nredis.register_function('other', function() end)");
    await stage.workingHost();
    expect(await loadedVersion(stage)).toBe(LIBRARY_VERSION);
  });

  test("is loaded again when it has been flushed", async () => {
    const stage = await Stage.set();
    await stage.watchEveryone();
    await stage.workingHost();
    await stage.redis.function("FLUSH");
    await stage.heartbeat("s1", "anouk");
    await stage.untilTold(["anouk ONLINE"]);
  });
});

describe("keyspace notifications", () => {
  test("are turned on beside what others have turned on", async () => {
    const stage = await Stage.set();
    await stage.redis.config("SET", "notify-keyspace-events", "Klm");
    await stage.workingHost();
    await expect.poll(() => flagsOf(stage)).toMatch(/(?=.*K)(?=.*E)(?=.*l)(?=.*m)(?=.*g)(?=.*x)(?=.*e)(?=.*n)/);
  });

  test("let a lease deleted, set or expired by hand be told at once", async () => {
    const stage = await Stage.set();
    await stage.watchEveryone();
    const host = await stage.workingHost({ intervalMs: 60_000 });
    await expect.poll(() => host.status().warnings).toEqual([]);
    await stage.heartbeat("s1", "anouk");
    await stage.untilTold(["anouk ONLINE"]);
    await stage.redis.del(leaseKey("anouk"));
    await stage.untilTold(["anouk ONLINE", "anouk OFFLINE"]);
    await stage.redis.set(leaseKey("magali"), "by-hand", "PX", 150);
    await stage.untilTold(["anouk ONLINE", "anouk OFFLINE", "magali ONLINE", "magali OFFLINE"]);
  });

  test("that may not be turned on are warned of, and the clock does all the same", async () => {
    const stage = await Stage.set();
    await stage.watchEveryone();
    await stage.redis.acl("SETUSER", "modest", "on", ">secret", "~*", "&*", "+@all", "-config");
    const host = await stage.workingHost({ url: stage.server.url.replace("//", "//modest:secret@") });
    await expect
      .poll(() => host.status().warnings.join(), { timeout: 10_000 })
      .toMatch(/keyspace notifications.*NOPERM/i);
    await stage.heartbeat("s1", "anouk", "magali");
    await stage.untilTold(["anouk ONLINE", "magali ONLINE"]);
    await stage.redis.del(leaseKey("anouk"));
    await expect
      .poll(async () => (await stage.told()).slice(2).toSorted(), { timeout: 10_000 })
      .toEqual(["anouk OFFLINE", "magali OFFLINE"]);
    expect(await flagsOf(stage)).toBe("");
  });

  test.each([
    ["", "Egxen"],
    ["AKE", "n"],
    ["KEA", "n"],
    ["Kgx", "Een"],
    ["Egxen", ""],
  ])("to flags %j are lacking %j", (flags, missing) => {
    expect(missingFlags(flags)).toBe(missing);
  });
});

describe("a host goes on", () => {
  test("when Redis is there only later", async () => {
    const stage = await Stage.set();
    await stage.server.kill();
    const host = stage.host();
    await delay(300);
    expect(host.status()).toMatchObject({ runtime: undefined, isWorking: false });
    await stage.server.restart();
    await stage.watchEveryone();
    await stage.heartbeat("s1", "anouk");
    await stage.untilTold(["anouk ONLINE"], 15_000);
  });

  test("when Redis was paused for longer than a connection counts as alive", { timeout: 60_000 }, async () => {
    const stage = await Stage.set();
    await stage.watchEveryone();
    const host = await stage.workingHost();
    await stage.heartbeat("s1", "anouk");
    await stage.untilTold(["anouk ONLINE"]);
    stage.server.pause();
    await expect.poll(() => host.status().isWorking, { timeout: 10_000 }).toBe(false);
    await delay(6_000);
    stage.server.resume();
    await stage.heartbeat("s1", "anouk");
    await expect.poll(() => host.status().isWorking, { timeout: 10_000 }).toBe(true);
    for (let beat = 0; beat < 4; beat += 1) {
      await stage.heartbeat("s1", "anouk", "magali");
      await delay(INTERVAL_MS / 2);
    }
    await stage.untilTold(["anouk ONLINE", "magali ONLINE"]);
  });

  test("when Redis is restarted with what it knew, and believes no lease that ran out meanwhile", async () => {
    const stage = await Stage.set({ isPersistent: true });
    await stage.watchEveryone();
    await stage.workingHost();
    await stage.heartbeat("s1", "anouk", "magali");
    await stage.untilTold(["anouk ONLINE", "magali ONLINE"]);
    await stage.server.kill();
    await delay(LEASE_MS);
    await stage.server.restart();
    // The server speaks up within an interval, for one of the two.
    const isMagaliGone = async () => {
      await stage.heartbeat("s1", "anouk");
      return await stage.told();
    };
    await delay(INTERVAL_MS / 2);
    await expect.poll(isMagaliGone, { timeout: 15_000, interval: 200 }).toContain("magali OFFLINE");
    const [, , offline, ...more] = await stage.announcements();
    expect(offline).toMatchObject({ client: "magali", reason: "timed-out" });
    expect(more).toEqual([]);
  });

  test("when Redis is restarted empty", async () => {
    const stage = await Stage.set();
    const host = await stage.workingHost();
    await stage.server.restartEmpty();
    await stage.watchEveryone();
    await stage.heartbeat("s1", "anouk");
    await stage.untilTold(["anouk ONLINE"]);
    // The new one has to be told to notify as well.
    await expect.poll(() => host.status().warnings, { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => flagsOf(stage), { timeout: 10_000 }).not.toBe("");
  });

  test("when its connections are killed", async () => {
    const stage = await Stage.set();
    await stage.watchEveryone();
    await stage.workingHost({ intervalMs: 20_000 });
    await expect.poll(() => flagsOf(stage)).not.toBe("");
    for (const type of ["NORMAL", "PUBSUB"]) await stage.redis.call("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
    await stage.heartbeat("s1", "anouk");
    await stage.untilTold(["anouk ONLINE"]);
    await expect.poll(() => stage.redis.pubsub("NUMSUB", "__keyevent@0__:del")).toContain(1);
    await stage.redis.del(leaseKey("anouk"));
    await stage.untilTold(["anouk ONLINE", "anouk OFFLINE"]);
  });
});

test("OFFLINE is told when the lease ends, among a thousand that live on", { timeout: 60_000 }, async () => {
  const stage = await Stage.set();
  await stage.watchEveryone();
  await stage.workingHost({ intervalMs: 2000 });
  const living = Array.from({ length: 1000 }, (_, index) => `living-${index}`);
  const dying = Array.from({ length: 50 }, (_, index) => `dying-${index}`);
  for (const client of dying) await stage.heartbeat("s1", client);
  for (let beat = 0; beat < 5; beat += 1) {
    await stage.heartbeat("s2", ...living);
    await delay(900);
  }
  const offline = (await stage.announcements()).filter(({ status }) => status === "OFFLINE");
  expect(offline.map(({ client }) => client).toSorted()).toEqual(dying.toSorted());
  const lags = offline.map(({ at, due }) => at - (due ?? 0)).toSorted((a, b) => a - b);
  expect(lags[0]).toBeGreaterThanOrEqual(0);
  // The median, as a busy machine may stop us for a while.
  expect(lags[lags.length >> 1]).toBeLessThanOrEqual(50);
});

test("the end of many leases at once is told once each, and what another hand did meanwhile as well", async () => {
  const stage = await Stage.set();
  await stage.watchEveryone();
  const host = await stage.workingHost({ intervalMs: 2000 });
  await expect.poll(() => host.status().warnings).toEqual([]);
  const crowd = Array.from({ length: 3000 }, (_, index) => `client-${index}`);
  for (let start = 0; start < crowd.length; start += 500)
    await stage.heartbeat("s1", ...crowd.slice(start, start + 500));
  await stage.redis.set(leaseKey("by-hand"), "s2", "PX", 60_000);
  await expect.poll(async () => (await stage.told()).length, { timeout: 10_000 }).toBe(3001);
  await expect.poll(async () => (await stage.told()).length, { timeout: 10_000, interval: 1 }).toBeGreaterThan(3001);
  await stage.redis.del(leaseKey("by-hand"));
  await expect.poll(async () => (await stage.told()).length, { timeout: 10_000 }).toBe(6002);
  const ended = (await stage.announcements()).filter(({ status }) => status === "OFFLINE");
  expect(ended.map(({ client }) => client).toSorted()).toEqual([...crowd, "by-hand"].toSorted());
  expect(ended.find(({ client }) => client === "by-hand")?.reason).toBe("left");
});

describe("a host that stops", () => {
  test("leaves no connection behind", async () => {
    const stage = await Stage.set();
    const host = await stage.workingHost();
    expect(await stage.hostConnections()).toBeGreaterThanOrEqual(2);
    await host.stop();
    await expect.poll(() => stage.hostConnections()).toBe(0);
    await delay(300);
    expect(await stage.hostConnections()).toBe(0);
  });

  test("does so in the middle of its start as well, and while Redis is away", async () => {
    const stage = await Stage.set();
    for (let afterMs = 0; afterMs < 20; afterMs += 2) {
      const host = stage.host();
      await delay(afterMs);
      await host.stop();
    }
    await expect.poll(() => stage.hostConnections()).toBe(0);
    await stage.server.kill();
    const host = stage.host();
    await delay(200);
    await host.stop();
    await stage.server.restart();
    await delay(500);
    expect(await stage.hostConnections()).toBe(0);
  });
});

async function flagsOf({ redis }: Stage): Promise<string> {
  const reply = await redis.config("GET", "notify-keyspace-events");
  return String(Array.isArray(reply) ? reply[1] : Object.values(reply as object)[0]);
}
