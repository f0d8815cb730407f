import { startTriggerHost, type TriggerHost } from "@presence/gears";
import { RedisCluster } from "@presence/gears/testing/cluster";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

  const connect = (heartbeatIntervalMs: number, partitionCount: number) => {
    servers += 1;
    const serverId = `server-${servers}`;
    return PartitionedPresencePlatform.connect({
      redisUrl: cluster.url,
      serverId,
      heartbeatIntervalMs,
      partitionCount,
      logger,
    });
  };

  presencePlatformContract(async ({ heartbeatIntervalMs }) => {
    await cluster.flush();
    return await connect(heartbeatIntervalMs, PARTITIONS);
  });

  it("refuses to work with another number of partitions than whoever came first", async () => {
    await cluster.flush();
    const first = await connect(D, PARTITIONS);
    await expect(connect(D, PARTITIONS + 1)).rejects.toThrow(
      "its keys are in 6 partitions: set REDIS_PARTITIONS to that, not to 7",
    );
    await first.close();
  });
});
