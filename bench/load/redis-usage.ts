import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";

const POLL_MS = 200;
/** Blocked reads that are repeated now and then cause a few commands. */
const IDLE_COMMANDS = 20;

const FIGURES = ["commands", "cpuMicros", "bytesIn", "bytesOut", "memoryBytes"] as const;

/**
 * What a Redis has done, or what one of several operations costs: commands (including those that functions call),
 * processor time of all threads, network bytes, and memory of data and buffers.
 */
export type RedisUsage = Readonly<Record<(typeof FIGURES)[number], number>>;

/** Reads the usage since the start of Redis. */
export async function readUsage(redis: Redis): Promise<RedisUsage> {
  const info = String(await redis.call("INFO", "cpu", "stats", "memory", "commandstats"));
  const value = (field: string) => Number(new RegExp(`^${field}:(\\S+)`, "m").exec(info)?.[1]);
  const calls = Array.from(info.matchAll(/^cmdstat_\S+?:calls=(\d+)/gm), ([, count]) => Number(count));
  return {
    commands: calls.reduce((sum, each) => sum + each, 0),
    cpuMicros: 1_000_000 * (value("used_cpu_user") + value("used_cpu_sys")),
    bytesIn: value("total_net_input_bytes"),
    bytesOut: value("total_net_output_bytes"),
    memoryBytes: value("used_memory"),
  };
}

export function difference(later: RedisUsage, earlier: RedisUsage): RedisUsage {
  return usageOf((figure) => later[figure] - earlier[figure]);
}

export function divide(usage: RedisUsage, by: number): RedisUsage {
  return usageOf((figure) => usage[figure] / by);
}

export function usageOf(read: (figure: keyof RedisUsage) => number): RedisUsage {
  return Object.fromEntries(FIGURES.map((figure) => [figure, read(figure)])) as Record<keyof RedisUsage, number>;
}

/** Resolves when Redis is idle: a trigger host also looks at each lease that it is notified of. */
export async function untilIdle(redis: Redis): Promise<void> {
  for (let before = await readUsage(redis); ; ) {
    await sleep(POLL_MS);
    const now = await readUsage(redis);
    if (now.commands - before.commands < IDLE_COMMANDS) return;
    before = now;
  }
}
