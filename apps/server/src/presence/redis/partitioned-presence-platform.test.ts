import { startTriggerHost, type TriggerHost } from "@presence/gears";
import { RedisCluster } from "@presence/testkit";
import { pino } from "pino";
import { afterAll, beforeAll, describe } from "vitest";
import { HEARTBEAT_INTERVAL_MS, presencePlatformContract } from "../presence-platform.contract.ts";
import { PartitionedPresencePlatform } from "./partitioned-presence-platform.ts";

const PARTITIONS = 6;
const logger = pino({ level: process.env["TEST_LOG_LEVEL"] ?? "silent" });

describe("PartitionedPresencePlatform in a Redis Cluster", () => {
  let cluster: RedisCluster;
  let host: TriggerHost;
  let servers = 0;

  beforeAll(async () => {
    cluster = await RedisCluster.start({ hasReplicas: false });
    host = startTriggerHost({
      redisUrl: cluster.url,
      heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
      partitionCount: PARTITIONS,
      logger,
    });
  });

  afterAll(async () => {
    await host.stop();
    await cluster.stop();
  });

  presencePlatformContract(async ({ heartbeatIntervalMs }) => {
    await cluster.flush();
    servers += 1;
    return await PartitionedPresencePlatform.connect({
      redisUrl: cluster.url,
      serverId: `server-${servers}`,
      heartbeatIntervalMs,
      partitionCount: PARTITIONS,
      logger,
    });
  });
});
