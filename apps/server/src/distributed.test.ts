import { setTimeout as delay } from "node:timers/promises";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { bearer, problemOf, startTestServer, type TestServer } from "../test/start-test-server.ts";

const D = 400;
const eventually = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

describe("several servers on one Redis", () => {
  let redisServer: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    redisServer = await RedisServer.start();
    redis = new Redis(redisServer.url);
  });

  beforeEach(() => redis.flushall());

  afterAll(async () => {
    redis.disconnect();
    await redisServer.stop();
  });

  const start = (serverId: string): Promise<TestServer> =>
    startTestServer({
      env: { REDIS_URL: redisServer.url, SERVER_ID: serverId, HEARTBEAT_INTERVAL_MS: String(D) },
    });
  const startTwo = async () => {
    const first = await start("first");
    return [first, await start("second")] as const;
  };

  it("show clients of other servers, with one event per change", async () => {
    const [first, second] = await startTwo();
    const anouk = await first.openTerminalStream("anouk");
    await anouk.snapshot();
    const magali = await second.openTerminalStream("magali");
    expect((await magali.snapshot()).contacts).toContainEqual(
      expect.objectContaining({ client: "anouk", status: "ONLINE" }),
    );
    await anouk.presence("magali", "ONLINE");
    await magali.close();
    await anouk.presence("magali", "OFFLINE");
    expect(anouk.changes()).toEqual(["magali ONLINE", "magali OFFLINE"]);
  });

  it("publish no event if a client moves to another server", async () => {
    const [first, second] = await startTwo();
    const anouk = await first.openTerminalStream("anouk");
    await anouk.snapshot();
    const before = await first.openTerminalStream("magali");
    await anouk.presence("magali", "ONLINE");
    await before.close();
    const after = await second.openTerminalStream("magali");
    await after.snapshot();
    await eventually(async () => expect(await redis.get("online.clients.magali")).toBe("second"));
    const omar = await second.openTerminalStream("omar");
    await omar.snapshot();
    await omar.close();
    await anouk.presence("omar", "OFFLINE");
    expect(anouk.changes()).toEqual(["magali ONLINE", "omar ONLINE", "omar OFFLINE"]);
  });

  it("accept the same tokens, and all refuse a token after sign-out on one server", async () => {
    const [first, second] = await startTwo();
    const anouk = await second.openTerminalStream("anouk");
    await anouk.snapshot();
    const token = await first.signIn("magali");
    const here = await first.openStream(token);
    const there = await second.openStream(token);
    await Promise.all([here.snapshot(), there.snapshot(), anouk.presence("magali", "ONLINE")]);
    expect(await first.signOut(token)).toBe(204);
    await anouk.presence("magali", "OFFLINE");
    expect(await Promise.all([here.over, there.over])).toEqual(["ended", "ended"]);
    const refused = await second.request("/api/contacts", { headers: { Authorization: `Bearer ${token}` } });
    expect(refused.status).toBe(401);
  });

  it("keep a client online that signs out on one server and is connected to the other with another token", async () => {
    const [first, second] = await startTwo();
    const anouk = await second.openTerminalStream("anouk");
    await anouk.snapshot();
    const other = await second.openStream(await second.signIn("magali"));
    await Promise.all([other.snapshot(), anouk.presence("magali", "ONLINE")]);
    const token = await first.signIn("magali");
    const stream = await first.openStream(token);
    await stream.snapshot();
    await eventually(async () => expect(await redis.get("online.clients.magali")).toBe("first"));
    await first.signOut(token);
    await stream.over;
    const omar = await second.openTerminalStream("omar");
    await omar.snapshot();
    await omar.close();
    await anouk.presence("omar", "OFFLINE");
    expect(anouk.changes()).not.toContain("magali OFFLINE");
  });

  it("send only the missed events to a reader that reconnects to another server", async () => {
    const [first, second] = await startTwo();
    const before = await first.openTerminalStream("anouk");
    await before.snapshot();
    await before.close();
    const magali = await second.openTerminalStream("magali");
    await magali.snapshot();
    await eventually(async () => expect(await redis.get("online.clients.magali")).toBe("second"));
    const after = await second.openTerminalStream("anouk", { headers: { "Last-Event-ID": before.lastEventId() } });
    await after.presence("magali", "ONLINE");
    expect(after.messages.map(({ event }) => event)).not.toContain("snapshot");
    expect(after.changes()).toEqual(["magali ONLINE"]);
  });

  it("handle a lease deleted and a heartbeat written by an external client", async () => {
    const [first] = await startTwo();
    const anouk = await first.openTerminalStream("anouk");
    await anouk.snapshot();
    await redis.xadd("heartbeat", "*", "server", "external", "client", "omar");
    await anouk.presence("omar", "ONLINE");
    await redis.del("online.clients.omar");
    await anouk.presence("omar", "OFFLINE");
  });

  it("serve an external server that only writes heartbeats and reads its stream", async () => {
    const [first] = await startTwo();
    await redis.xadd("heartbeat", "*", "server", "external", "client", "anouk");
    const magali = await first.openTerminalStream("magali");
    await magali.snapshot();
    const wei = await first.openTerminalStream("wei");
    await wei.snapshot();
    await eventually(async () => {
      const entries = await redis.xrange("presence.external", "-", "+");
      const changes = entries.map(([, [, client, , status]]) => `${client} ${status}`);
      // Wei is not a contact of Anouk.
      expect(changes).toEqual(["magali ONLINE"]);
    });
  });

  it("close a gap in a server's stream with snapshots", async () => {
    const [first, second] = await startTwo();
    const anouk = await first.openTerminalStream("anouk");
    await anouk.snapshot();
    await redis.hincrby("presence:sequences", "first", 3);
    const magali = await second.openTerminalStream("magali");
    await magali.snapshot();
    const { contacts } = await anouk.snapshot();
    expect(contacts).toContainEqual(expect.objectContaining({ client: "magali", status: "ONLINE" }));
    await magali.close();
    await anouk.presence("magali", "OFFLINE");
  });

  it("recover after Redis lost its data", async () => {
    const [first, second] = await startTwo();
    const anouk = await first.openTerminalStream("anouk");
    await anouk.snapshot();
    const magali = await second.openTerminalStream("magali");
    await Promise.all([magali.snapshot(), anouk.presence("magali", "ONLINE")]);
    await redis.flushall();
    const { contacts } = await anouk.snapshot();
    expect(contacts.map(({ client }) => client)).toContain("magali");
    await eventually(() => {
      const last = anouk.messages.findLast(
        (message) => message.event !== "presence" || message.data.client === "magali",
      );
      const status =
        last?.event === "snapshot"
          ? last.data.contacts.find(({ client }) => client === "magali")?.status
          : last?.event === "presence" && last.data.status;
      expect(status).toBe("ONLINE");
    });
  });

  it("accept pings while Redis is down, and answer other requests with 503 and Retry-After", async () => {
    const ownRedis = await RedisServer.start();
    onTestFinished(() => ownRedis.stop());
    const server = await startTestServer({ env: { REDIS_URL: ownRedis.url } });
    const headers = bearer(await server.signIn("anouk"));
    const connection = "random-ping-id-1";
    const stream = await server.openStream(await server.signIn("anouk"), { query: `?connection=${connection}` });
    await stream.snapshot();
    await ownRedis.kill();
    expect((await server.post("/api/events/pings", { connection }, { headers })).status).toBe(204);
    const refusals = await Promise.all([
      server.request("/api/contacts", { headers }),
      server.request("/api/events", { headers }),
      server.request("/events/omar"),
      server.request("/api/sessions/current", { method: "DELETE", headers }),
    ]);
    for (const refusal of refusals) {
      expect(refusal.status).toBe(503);
      expect(refusal.headers.get("Retry-After")).toMatch(/^[12]$/);
      expect(await problemOf(refusal)).toMatchObject({ type: "urn:presence:problem:presence-lost" });
    }
  });

  it.each([
    ["hangs, without a lost connection", 2_500],
    ["hangs until its connections are considered dead", 7_000],
  ])("keep their streams open and mark them as stale while Redis %s", { timeout: 30_000 }, async (_how, pauseMs) => {
    const ownRedis = await RedisServer.start();
    onTestFinished(() => ownRedis.stop());
    const env = { REDIS_URL: ownRedis.url, HEARTBEAT_INTERVAL_MS: String(D) };
    const [server, other] = await Promise.all([startTestServer({ env }), startTestServer({ env })]);
    const tokens = await Promise.all(["anouk", "magali"].map((client) => server.signIn(client)));
    const stream = await server.openMultiplexedStream(tokens.map((token) => ({ token })));
    const omar = await other.openTerminalStream("omar");
    await Promise.all([omar.snapshot(), stream.presence("omar", "ONLINE", 0)]);
    const pausedAt = Date.now();
    ownRedis.pause();
    onTestFinished(() => ownRedis.resume());
    const over = delay(pauseMs);
    for (const stale of [await stream.stale(0), await stream.stale(1), await omar.stale()]) {
      expect(stale.at).toBeGreaterThan(pausedAt - 1_500);
      expect(stale.at).toBeLessThan(pausedAt + 500);
    }
    expect((await server.request("/events/zoe")).status).toBe(503);
    await over;
    ownRedis.resume();
    const snapshots = await Promise.all([stream.snapshot(0), omar.snapshot()]);
    for (const { contacts } of snapshots) {
      expect(contacts).toContainEqual(expect.objectContaining({ client: "magali", status: "ONLINE" }));
    }
    // Longer than the hold after the outage and a lease.
    await delay(4 * D);
    expect(
      [stream, omar].flatMap((each) => [each.changes(), each.changes(0), each.changes(1)]).flat(),
    ).not.toContainEqual(expect.stringContaining("OFFLINE"));
  });

  it("answer pings at once while Redis hangs", async () => {
    const ownRedis = await RedisServer.start();
    onTestFinished(() => ownRedis.stop());
    const server = await startTestServer({ env: { REDIS_URL: ownRedis.url } });
    const token = await server.signIn("anouk");
    const connection = "random-ping-id-1";
    const stream = await server.openStream(token, { query: `?connection=${connection}` });
    await stream.snapshot();
    ownRedis.pause();
    onTestFinished(() => ownRedis.resume());
    const sentMs = performance.now();
    const answer = await server.post("/api/events/pings", { connection }, { headers: bearer(token) });
    expect(answer.status).toBe(204);
    expect(performance.now() - sentMs).toBeLessThan(1_500);
  });

  it("restore the roster and the demo mode key after Redis lost them", async () => {
    const ownRedis = await RedisServer.start();
    onTestFinished(() => ownRedis.stop());
    const env = { REDIS_URL: ownRedis.url, HEARTBEAT_INTERVAL_MS: String(D) };
    const server = await startTestServer({ env });
    const token = await server.signIn("anouk");
    await ownRedis.restartEmpty();
    const client = new Redis(ownRedis.url);
    onTestFinished(() => client.disconnect());
    await eventually(async () => expect(await client.exists("contact:wei", "presence:demo-key")).toBe(2));
    const later = await startTestServer({ env });
    const response = await later.request("/api/contacts", { headers: bearer(token) });
    expect(await response.json()).toMatchObject({ profile: { name: "Anouk Lefèvre" } });
  });

  it("drain the streams of one response together, and refuse new streams", async () => {
    const first = await start("first");
    const tokens = await Promise.all(["anouk", "magali"].map((client) => first.signIn(client)));
    const stream = await first.openMultiplexedStream(tokens.map((token) => ({ token })));
    const alone = await first.openTerminalStream("omar");
    await alone.snapshot();
    await eventually(() => expect(stream.messages.filter(({ event }) => event === "snapshot")).toHaveLength(2));
    const drained = first.drain();
    expect((await first.request("/readyz")).status).toBe(503);
    await drained;
    expect(await Promise.all([stream.over, alone.over])).toEqual(["ended", "ended"]);
    const ends = stream.messages.filter(({ event }) => event === "channel-end");
    expect(ends).toMatchObject([
      { data: { problem: { type: "urn:presence:problem:shutting-down" } } },
      { data: { problem: { type: "urn:presence:problem:shutting-down" } } },
    ]);
    const [one, other] = ends;
    expect(Math.abs((one?.receivedMs ?? 0) - (other?.receivedMs ?? 0))).toBeLessThan(1_000);
    const refused = await first.request("/events/zoe");
    expect(refused.status).toBe(503);
    // At most half an interval.
    expect(refused.headers.get("retry-after")).toBe("0");
    expect((await problemOf(refused)).type).toBe("urn:presence:problem:shutting-down");
  });

  it("delete their own keys when they stop", async () => {
    const server = await start("gone");
    const stream = await server.openTerminalStream("anouk");
    await stream.snapshot();
    await stream.close();
    await server.close();
    const keys = await redis.keys("*");
    expect(keys.filter((key) => key.includes("gone"))).toEqual([]);
    expect(keys.filter((key) => key.startsWith("presence:watchers:"))).toEqual([]);
  });

  it("report in one line that Redis can't be reached", async () => {
    const attempt = startTestServer({ env: { REDIS_URL: "redis://127.0.0.1:1" } });
    await expect(attempt).rejects.toThrow(/^Redis at 127\.0\.0\.1:1 can't be used \(.*\)\. Start it, or set REDIS_URL/);
  });
});
