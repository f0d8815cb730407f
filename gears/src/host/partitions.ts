import { partitionPrefix, slotOf } from "@presence/protocol";
import { parseRedisAddress } from "./redis-address.ts";

/** A part of a cluster's keys in one slot. It is a complete presence platform for some of the clients. */
export interface Partition {
  /** The hash tag that precedes each of its keys. */
  prefix: string;
  /** The slot of all its keys. */
  slot: number;
}

/** Default partition count of a cluster: several per primary, and divisible by the usual numbers of primaries. */
export const DEFAULT_PARTITION_COUNT = 12;

/**
 * The partitions of the Redis at this URL. A single Redis has one partition without a prefix, `undefined`.
 *
 * @param count the partition count of a cluster
 */
export function partitionsOf(redisUrl: string, count = DEFAULT_PARTITION_COUNT): readonly (Partition | undefined)[] {
  if (parseRedisAddress(redisUrl)?.kind !== "cluster") return [undefined];
  return Array.from({ length: count }, (_, index) => {
    const prefix = partitionPrefix(index, count);
    return { prefix, slot: slotOf(prefix.slice(1, -1)) };
  });
}
