import { startTriggerHost, type TriggerHost } from "@presence/gears";
import { RedisCluster } from "@presence/testkit";
import { pino } from "pino";
import { afterAll, beforeAll, describe } from "vitest";
import { presencePlatformContract } from "../presence-platform.contract.ts";
import { PartitionedPresencePlatform } from "./partitioned-presence-platform.ts";

const D = 200;
const PARTITIONS = 6;
const logger = pino({ level: process.env["TEST_LOG_LEVEL"] ?? "silent" });

describe("the presence platform in a cluster", () => {
  let cluster: RedisCluster;
  let host: TriggerHost;
  let servers = 0;

  beforeAll(async () => {
    cluster = await RedisCluster.start({ hasReplicas: false });
    host = startTriggerHost({ redisUrl: cluster.url, heartbeatIntervalMs: D, partitionCount: PARTITIONS, logger });
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
