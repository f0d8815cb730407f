import { slotOf } from "@presence/protocol";
import type { Logger } from "pino";
import { PARTITIONS_KEY } from "../presence/keys.ts";
import { DEFAULT_PARTITION_COUNT } from "./partitions.ts";
import { parseRedisAddress } from "./redis-address.ts";
import { connected, createConnection } from "./redis-connection.ts";

/**
 * Ensures that all servers and hosts of a cluster use the same partition count. The first process stores its count in
 * Redis; each later process compares its own. Does nothing for a single Redis.
 *
 * @throws an error with a one-line message that names the stored count, if it differs from `count`
 */
export async function agreeOnPartitions(
  redisUrl: string,
  logger: Logger,
  count = DEFAULT_PARTITION_COUNT,
): Promise<void> {
  if (parseRedisAddress(redisUrl)?.kind !== "cluster") return;
  const redis = createConnection(redisUrl, "presence-partitions", logger, { prefix: "", slot: slotOf(PARTITIONS_KEY) });
  try {
    await connected(redis);
    await redis.set(PARTITIONS_KEY, String(count), "NX");
    const agreed = await redis.get(PARTITIONS_KEY);
    if (agreed !== String(count)) {
      throw new Error(`the cluster uses ${agreed} partitions: set REDIS_PARTITIONS to ${agreed}, not to ${count}`);
    }
  } finally {
    redis.disconnect();
  }
}
