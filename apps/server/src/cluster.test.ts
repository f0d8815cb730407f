import { clusterPartitions } from "@presence/gears/testing/cluster-partitions";
import { partitionOf } from "@presence/protocol";
import { RedisCluster } from "@presence/testkit";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { startTestServer, type TestServer } from "../test/start-test-server.ts";
import { contactStoreContract } from "./contacts/contact-store.contract.ts";
import { PartitionedContactStore } from "./contacts/partitioned-contact-store.ts";
import { RedisContactStore } from "./contacts/redis-contact-store.ts";
import { RedisRevocations } from "./sessions/redis-revocations.ts";
import { revocationsContract } from "./sessions/revocations.contract.ts";

const D = 400;
const PARTITIONS = 5;
const logger = pino({ level: "silent" });
const eventually = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

let cluster: RedisCluster;
let connections: Redis[];

beforeAll(async () => {
  cluster = await RedisCluster.start({ hasReplicas: false });
  connections = clusterPartitions(cluster, PARTITIONS).map((partition) => partition.connect());
  await Promise.all(connections.map((connection) => connection.connect()));
});

beforeEach(() => cluster.flush());

afterAll(async () => {
  for (const connection of connections) connection.disconnect();
  await cluster.stop();
});

const connectionOf = (client: string): Redis => {
  const connection = connections[partitionOf(client, PARTITIONS)];
  if (!connection) throw new Error("each client has a partition");
  return connection;
};
const start = (serverId: string, more: Record<string, string> = {}): Promise<TestServer> =>
  startTestServer({
    env: {
      REDIS_URL: cluster.url,
      REDIS_PARTITIONS: String(PARTITIONS),
      SERVER_ID: serverId,
      HEARTBEAT_INTERVAL_MS: String(D),
      ...more,
    },
  });

describe("contact documents in a cluster", () => {
  contactStoreContract(async (documents) => {
    const store = new PartitionedContactStore(
      await Promise.all(connections.map((connection) => RedisContactStore.open(connection, logger))),
    );
    await store.seed(documents);
    return store;
  });
});

describe("revocations in a cluster", () => {
  revocationsContract(async () => new RedisRevocations(connections));
});

describe("several servers on a cluster", () => {
  it("show clients of other servers, on any primary", async () => {
    const [first, second] = [await start("first"), await start("second")];
    const names = ["anouk", "magali", "omar"];
    expect(new Set(names.map((name) => partitionOf(name, PARTITIONS))).size).toBeGreaterThan(1);
    const anouk = await first.openTerminalStream("anouk");
    await anouk.snapshot();
    for (const name of names.slice(1)) {
      const other = await second.openTerminalStream(name);
      expect((await other.snapshot()).contacts).toContainEqual(
        expect.objectContaining({ client: "anouk", status: "ONLINE" }),
      );
      await anouk.presence(name, "ONLINE");
      await other.close();
      await anouk.presence(name, "OFFLINE");
    }
    expect(anouk.changes()).toEqual(names.slice(1).flatMap((name) => [`${name} ONLINE`, `${name} OFFLINE`]));
  });

  it("store a client's keys in its partition only", async () => {
    const first = await start("first");
    const anouk = await first.openTerminalStream("anouk");
    await anouk.snapshot();
    await eventually(async () => expect(await connectionOf("anouk").get("online.clients.anouk")).toBe("first"));
    expect(await connectionOf("anouk").exists("contact:anouk")).toBe(1);
    const keys = await Promise.all(cluster.servers.map(({ url }) => keysOf(url)));
    expect(keys.flat().filter((key) => key.endsWith("online.clients.anouk"))).toHaveLength(1);
    expect(keys.flat().filter((key) => !key.startsWith("{"))).toEqual(["presence:partitions"]);
  });

  it("send only the missed events to a reader that reconnects to the same server", async () => {
    const first = await start("first");
    const before = await first.openTerminalStream("anouk");
    await before.snapshot();
    const omar = await first.openTerminalStream("omar");
    await before.presence("omar", "ONLINE");
    await before.close();
    await omar.snapshot();
    const magali = await first.openTerminalStream("magali");
    await magali.snapshot();
    await omar.presence("magali", "ONLINE");
    const after = await first.openTerminalStream("anouk", { headers: { "Last-Event-ID": before.lastEventId() } });
    await after.presence("magali", "ONLINE");
    expect(after.changes()).toEqual(["magali ONLINE"]);
    expect(after.messages.map(({ event }) => event)).not.toContain("snapshot");
  });

  it("send a snapshot to a reader that reconnects to another server", async () => {
    const [first, second] = [await start("first"), await start("second")];
    const before = await first.openTerminalStream("anouk");
    await before.snapshot();
    await before.close();
    const after = await second.openTerminalStream("anouk", { headers: { "Last-Event-ID": before.lastEventId() } });
    expect((await after.snapshot()).contacts.length).toBeGreaterThan(0);
  });

  it("all refuse a token after sign-out on one server", async () => {
    const [first, second] = [await start("first"), await start("second")];
    const token = await first.signIn("magali");
    const stream = await second.openStream(token);
    await stream.snapshot();
    expect(await first.signOut(token)).toBe(204);
    expect(await stream.over).toBe("ended");
    const refused = await second.request("/api/contacts", { headers: { Authorization: `Bearer ${token}` } });
    expect(refused.status).toBe(401);
  });

  it("handle a lease deleted by an external client", async () => {
    const first = await start("first");
    const anouk = await first.openTerminalStream("anouk");
    await anouk.snapshot();
    await connectionOf("omar").xadd("heartbeat", "*", "server", "external", "client", "omar");
    await anouk.presence("omar", "ONLINE");
    await connectionOf("omar").del("online.clients.omar");
    await anouk.presence("omar", "OFFLINE");
  });

  it("refuse a partition count that differs from that of the first server", async () => {
    await start("first");
    await expect(start("second", { REDIS_PARTITIONS: "6" })).rejects.toThrow(
      "the cluster uses 5 partitions: set REDIS_PARTITIONS to 5, not to 6",
    );
  });
});

async function keysOf(url: string): Promise<string[]> {
  const redis = new Redis(url, { protocol: 2 });
  onTestFinished(() => redis.disconnect());
  return await redis.keys("*");
}
