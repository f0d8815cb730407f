import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { median } from "../statistics.ts";

const LOOK_MS = 200;
/** Commands in that time that mean nothing: who blocks begins anew now and then. */
const FEW_COMMANDS = 20;

/** What a Redis has done so far, or between two moments, or for one of many things. */
export interface RedisUsage {
  /** Commands, those that functions call as well. */
  commands: number;
  /** Processor time of all its threads. */
  cpuMicros: number;
  bytesIn: number;
  bytesOut: number;
  /** Of data and buffers. */
  memoryBytes: number;
}

/** What it has done since it was started. */
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

/** What was done between two readings. */
export function difference(later: RedisUsage, earlier: RedisUsage): RedisUsage {
  return figures((figure) => later[figure] - earlier[figure]);
}

export function share(usage: RedisUsage, of: number): RedisUsage {
  return figures((figure) => usage[figure] / of);
}

/** Of each figure the median. */
export function medianUsage(usages: readonly RedisUsage[]): RedisUsage {
  return figures((figure) => median(usages.map((usage) => usage[figure])));
}

function figures(read: (figure: keyof RedisUsage) => number): RedisUsage {
  return {
    commands: read("commands"),
    cpuMicros: read("cpuMicros"),
    bytesIn: read("bytesIn"),
    bytesOut: read("bytesOut"),
    memoryBytes: read("memoryBytes"),
  };
}

/** Resolves when what followed from the load has been done as well: a host looks at each lease that it is notified of. */
export async function untilQuiet(redis: Redis): Promise<void> {
  for (let before = await readUsage(redis); ; ) {
    await sleep(LOOK_MS);
    const now = await readUsage(redis);
    if (now.commands - before.commands < FEW_COMMANDS) return;
    before = now;
  }
}
