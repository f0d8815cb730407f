import { downstreamKey, HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import { Gauge, type Registry } from "prom-client";

export interface RedisMetricsOptions {
  /** One connection per partition; for a single Redis, one. */
  connections: readonly Redis[];
  serverId: string;
  intervalMs: number;
  registry: Registry;
}

/**
 * Updates gauges of the streams in Redis once per interval; no label names a client. They are not read on demand, because
 * `/metrics` must answer even if Redis does not.
 *
 * @returns a function that stops the updates
 */
export function collectRedisMetrics({ connections, serverId, intervalMs, registry }: RedisMetricsOptions): () => void {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const up = gauge("presence_redis_up", "Whether Redis replied when last polled.");
  const lengths = gauge("presence_stream_length", "Entries in a stream in Redis.", ["stream"]);
  const waiting = gauge("presence_heartbeats_waiting", "Heartbeat entries that no trigger host has read yet.");
  const pending = gauge("presence_heartbeats_pending", "Heartbeat entries that were read but not acknowledged.");

  const sumOf = async (read: (redis: Redis) => Promise<number>) => {
    const numbers = await Promise.all(connections.map(read));
    return numbers.reduce((sum, number) => sum + number, 0);
  };
  const update = async () => {
    try {
      lengths.set({ stream: "heartbeat" }, await sumOf((redis) => redis.xlen(HEARTBEAT_KEY)));
      lengths.set({ stream: "downstream" }, await sumOf((redis) => redis.xlen(downstreamKey(serverId))));
      const groups = (await Promise.all(connections.map(readGroup))).filter((group) => group !== undefined);
      if (groups.length > 0) {
        waiting.set(groups.reduce((sum, group) => sum + group.waiting, 0));
        pending.set(groups.reduce((sum, group) => sum + group.pending, 0));
      }
      up.set(1);
    } catch {
      up.set(0);
    }
  };
  void update();
  const timer = setInterval(() => void update(), intervalMs);
  return () => clearInterval(timer);
}

/** @returns `undefined` if there is no consumer group, as with RedisGears */
async function readGroup(redis: Redis): Promise<{ waiting: number; pending: number } | undefined> {
  // XINFO fails if the stream does not exist yet.
  const groups = (await redis.call("XINFO", "GROUPS", HEARTBEAT_KEY).catch(() => [])) as unknown[][];
  const [group] = groups;
  if (!group) return undefined;
  const field = (name: string) => Number(group[group.indexOf(name) + 1] ?? 0);
  return { waiting: field("lag"), pending: field("pending") };
}
