import { setTimeout as delay } from "node:timers/promises";
import { contactKey, leaseKey, slotOf } from "@presence/protocol";
import { RedisCluster } from "@presence/testkit";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { agreeOnPartitions } from "../src/host/partition-count.ts";
import { PresenceFunctions } from "../src/host/presence-functions.ts";
import { connected, createConnection } from "../src/host/redis-connection.ts";
import { startTriggerHost } from "../src/host/trigger-host.ts";
import { RECORDS_KEY } from "../src/presence/keys.ts";
import { type ClusterPartition, clusterPartitions } from "./cluster-partitions.ts";

const INTERVAL_MS = 1_000;
const PARTITIONS = 3;
const logger = pino({ level: "silent" });

describe("a cluster", () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await RedisCluster.start({ hasReplicas: false });
  });
  beforeEach(() => cluster.flush());
  afterAll(() => cluster.stop());

  async function enter(partition: ClusterPartition | undefined) {
    if (!partition) throw new Error("no such partition");
    const redis = partition.connect();
    onTestFinished(() => redis.disconnect());
    await connected(redis);
    return { redis, slot: partition.slot, functions: await PresenceFunctions.connect(redis, INTERVAL_MS, logger) };
  }

  test("spreads the partitions over all primaries", async () => {
    const primaries = await Promise.all(
      clusterPartitions(cluster, PARTITIONS).map(({ slot }) => cluster.primaryOf(slot)),
    );
    expect(new Set(primaries)).toEqual(new Set(cluster.servers));
  });

  test("rejects whole calls while a slot migrates, and runs them at the new primary", async () => {
    const { redis, slot, functions } = await enter(clusterPartitions(cluster, PARTITIONS)[0]);
    await functions.join("s1");
    await functions.read("s1", "epoch", ["anouk"], []);
    await redis.xadd("heartbeat", "*", "server", "s1", "client", "anouk", "client", "magali");
    await functions.processBacklog();
    await redis.set(contactKey("anouk"), "{}");
    const record = await redis.hget(RECORDS_KEY, "anouk");
    expect(record).toMatch(/^ONLINE /);
    const [first, second] = cluster.servers;
    if (!first || !second) throw new Error("a cluster has several primaries");

    await cluster.moveSlot(slot, second, async () => {
      const calls = [
        functions.leave("s1", "anouk"),
        functions.sweep(),
        functions.processBacklog(),
        functions.join("s2"),
      ];
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: "rejected", reason: { message: expect.stringMatching(/^ASK /) } });
      }
    });
    await expect.poll(() => redis.hget(RECORDS_KEY, "anouk").catch(() => ""), { timeout: 5_000 }).toBe(record);
    await functions.leave("s1", "anouk");
    expect(await redis.hget(RECORDS_KEY, "anouk")).toMatch(/^OFFLINE /);
    await cluster.moveSlot(slot, first);
  });

  test("lets a trigger host and its notifications follow a moved slot", async () => {
    const host = startTriggerHost({
      redisUrl: cluster.url,
      heartbeatIntervalMs: INTERVAL_MS,
      partitionCount: PARTITIONS,
      logger,
    });
    onTestFinished(() => host.stop());
    await expect.poll(() => host.status(), { timeout: 10_000 }).toMatchObject({ isWorking: true, warnings: [] });
    const { redis, slot } = await enter(clusterPartitions(cluster, PARTITIONS)[0]);
    const [first, second] = cluster.servers;
    if (!first || !second) throw new Error("a cluster has several primaries");
    await cluster.moveSlot(slot, second);
    // Set repeatedly: until the host has followed the slot, it receives no notification.
    const setAgain = async () => {
      await redis.multi().del(leaseKey("anouk")).set(leaseKey("anouk"), "s1", "PX", 60_000).exec();
      return await redis.hget(RECORDS_KEY, "anouk");
    };
    await expect.poll(() => setAgain().catch(() => null), { timeout: 20_000 }).toContain("ONLINE ");
    expect(host.status()).toMatchObject({ isWorking: true, warnings: [] });
    // The lease lasts a minute, so only a notification can report this in time.
    await redis.del(leaseKey("anouk"));
    await expect.poll(() => redis.hget(RECORDS_KEY, "anouk"), { timeout: 10_000 }).toMatch(/^OFFLINE /);
    await cluster.moveSlot(slot, first);
  });

  test("keeps the partition count of the first process", async () => {
    await agreeOnPartitions(cluster.url, logger, 3);
    await agreeOnPartitions(cluster.url, logger, 3);
    await expect(agreeOnPartitions(cluster.url, logger, 4)).rejects.toThrow(
      "the cluster uses 3 partitions: set REDIS_PARTITIONS to 3, not to 4",
    );
  });

  test("is reachable through any node, and reports an error if no node runs", async () => {
    const [one] = cluster.servers;
    const partition = { prefix: "{x}", slot: slotOf("x") };
    const found = createConnection(`redis://127.0.0.1:1,${one?.url}`, "test", logger, partition);
    onTestFinished(() => found.disconnect());
    await connected(found);
    expect(await found.set("key", "value")).toBe("OK");
    const lost = createConnection("redis://127.0.0.1:1,redis://127.0.0.1:2", "test", logger, partition);
    onTestFinished(() => lost.disconnect());
    await expect(connected(lost)).rejects.toThrow(/ECONNREFUSED/);
  });

  test("is reachable again after all nodes were down", async () => {
    const { redis } = await enter(clusterPartitions(cluster, PARTITIONS)[1]);
    await Promise.all(cluster.servers.map((server) => server.kill()));
    await expect.poll(() => redis.set("key", "value").catch(() => "refused")).toBe("refused");
    // Gives it time to look for the primary without success.
    await delay(1_000);
    await Promise.all(cluster.servers.map((server) => server.restart()));
    await expect.poll(() => redis.set("key", "value").catch(() => "refused"), { timeout: 20_000 }).toBe("OK");
  });
});
