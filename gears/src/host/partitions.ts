import { partitionPrefix, slotOf } from "@presence/protocol";
import type { Logger } from "pino";
import { PARTITIONS_KEY } from "../presence/keys.ts";
import { parseRedisAddress } from "./redis-address.ts";
import { connected, createConnection } from "./redis-connection.ts";

/** A part of a cluster's keys that changes as one: a platform of its own, with some of the clients. */
export interface Partition {
  /** What its keys begin with. */
  prefix: string;
  /** Where all of them lie. */
  slot: number;
}

/** How many a cluster has unless it is told otherwise: a few for each primary, and divisible by many numbers of these. */
export const DEFAULT_PARTITION_COUNT = 12;

/**
 * The partitions of what the URL names; a single Redis has one, without a name.
 *
 * @param count how many a cluster has
 */
export function partitionsOf(redisUrl: string, count = DEFAULT_PARTITION_COUNT): readonly (Partition | undefined)[] {
  if (parseRedisAddress(redisUrl)?.kind !== "cluster") return [undefined];
  return Array.from({ length: count }, (_, index) => {
    const prefix = partitionPrefix(index, count);
    return { prefix, slot: slotOf(prefix.slice(1, -1)) };
  });
}

/**
 * Sees to it that all who work on a cluster have the same partitions: whoever comes first writes down how many.
 *
 * @throws an error whose message is one line that says what to do, where they are others
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
      throw new Error(`its keys are in ${agreed} partitions: set REDIS_PARTITIONS to that, not to ${count}`);
    }
  } finally {
    redis.disconnect();
  }
}
