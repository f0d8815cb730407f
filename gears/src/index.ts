export { agreeOnPartitions } from "./host/partition-count.ts";
export { DEFAULT_PARTITION_COUNT, type Partition, partitionsOf } from "./host/partitions.ts";
export { PresenceFunctions, type ReadReply } from "./host/presence-functions.ts";
export { describeRedisAddress, parseRedisAddress, REDIS_URLS_ALLOWED } from "./host/redis-address.ts";
export { type ConnectRedis, connected, createConnection } from "./host/redis-connection.ts";
export { startTriggerHost, type TriggerHost, type TriggerHostStatus } from "./host/trigger-host.ts";
export { EVERYONE, GUESTS, GUESTS_KEY } from "./presence/keys.ts";
export type { ClientRecord } from "./presence/record.ts";
export { readableLog } from "./readable-log.ts";
