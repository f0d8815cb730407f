import { downstreamKey, HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import { Gauge, type Registry } from "prom-client";

/** What a server's Redis has to say of the platform, looked at once an interval; nothing of it names a client. */
export interface VitalsOptions {
  /** A connection to each partition; to a single Redis, one. */
  parts: readonly Redis[];
  serverId: string;
  intervalMs: number;
  registry: Registry;
}

/**
 * Keeps gauges of what waits in Redis. They are taken now and then, and not when somebody asks for metrics: a Redis that
 * doesn't answer must not keep the answer from those who want to know that.
 *
 * @returns a function that ends it
 */
export function watchVitals({ parts, serverId, intervalMs, registry }: VitalsOptions): () => void {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const up = gauge("presence_redis_up", "Whether Redis answered when last asked.");
  const lengths = gauge("presence_stream_length", "Entries in a stream in Redis.", ["stream"]);
  const waiting = gauge("presence_heartbeats_waiting", "Entries of the heartbeat stream that no host has read yet.");
  const pending = gauge("presence_heartbeats_pending", "Entries that were read, and not acknowledged.");

  const sumOf = async (ask: (redis: Redis) => Promise<number>) => {
    const numbers = await Promise.all(parts.map(ask));
    return numbers.reduce((sum, number) => sum + number, 0);
  };
  const look = async () => {
    try {
      lengths.set({ stream: "heartbeat" }, await sumOf((redis) => redis.xlen(HEARTBEAT_KEY)));
      lengths.set({ stream: "downstream" }, await sumOf((redis) => redis.xlen(downstreamKey(serverId))));
      const groups = (await Promise.all(parts.map(readGroup))).filter((group) => group !== undefined);
      if (groups.length > 0) {
        waiting.set(groups.reduce((sum, group) => sum + group.waiting, 0));
        pending.set(groups.reduce((sum, group) => sum + group.pending, 0));
      }
      up.set(1);
    } catch {
      up.set(0);
    }
  };
  void look();
  const timer = setInterval(() => void look(), intervalMs);
  return () => clearInterval(timer);
}

/** @returns `undefined` where there is none, as with RedisGears */
async function readGroup(redis: Redis): Promise<{ waiting: number; pending: number } | undefined> {
  // An error where there is no stream, yet.
  const groups = (await redis.call("XINFO", "GROUPS", HEARTBEAT_KEY).catch(() => [])) as unknown[][];
  const [group] = groups;
  if (!group) return undefined;
  const field = (name: string) => Number(group[group.indexOf(name) + 1] ?? 0);
  return { waiting: field("lag"), pending: field("pending") };
}
