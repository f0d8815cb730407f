import type { RedisCluster } from "@presence/testkit";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { type Partition, partitionsOf } from "../src/host/partitions.ts";
import { createConnection } from "../src/host/redis-connection.ts";

const SILENT = pino({ level: "silent" });

export interface ClusterPartition extends Partition {
  /** @returns a connection that follows the partition's primary and prefixes its keys */
  connect(): Redis;
}

/** The partitions that servers and trigger hosts divide the cluster into. */
export function clusterPartitions({ url }: RedisCluster, count: number): ClusterPartition[] {
  return partitionsOf(url, count)
    .filter((partition) => partition !== undefined)
    .map((partition) => ({ ...partition, connect: () => createConnection(url, "test", SILENT, partition) }));
}
