import { DEFAULT_PARTITION_COUNT } from "./host/partitions.ts";
import { parseRedisAddress, REDIS_URLS_ALLOWED } from "./host/redis-address.ts";

/** The configuration of a trigger host, parsed from the environment. */
export interface HostConfig {
  redisUrl: string;
  /** `d` in ms. All servers and hosts of one Redis use the same. */
  heartbeatIntervalMs: number;
  /** The number of partitions of a cluster. All servers and hosts of one cluster use the same. */
  partitionCount: number;
  logLevel: string;
}

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];
const MIN_INTERVAL_MS = 100;
const MAX_INTERVAL_MS = 600_000;
const MAX_PARTITIONS = 1_024;

/** An invalid setting. The one-line message contains its name and the allowed values. */
class ConfigError extends Error {
  constructor(name: string, allowed: string, value: string | undefined) {
    super(`${name} must be ${allowed}${value === undefined ? "" : `, not ${JSON.stringify(value)}`}.`);
    this.name = "ConfigError";
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError} for the first invalid setting */
export function parseHostConfig(env: Environment): HostConfig {
  return {
    redisUrl: parseRedisUrl(given(env, "REDIS_URL")),
    heartbeatIntervalMs: parseInterval(given(env, "HEARTBEAT_INTERVAL_MS") ?? "5000"),
    partitionCount: parsePartitionCount(given(env, "REDIS_PARTITIONS") ?? String(DEFAULT_PARTITION_COUNT)),
    logLevel: parseLogLevel(given(env, "LOG_LEVEL") ?? "info"),
  };
}

function parseRedisUrl(url: string | undefined): string {
  if (url !== undefined && parseRedisAddress(url)) return url;
  const shown = url?.replace(/:[^:@/]*@/g, ":…@");
  throw new ConfigError("REDIS_URL", REDIS_URLS_ALLOWED, shown);
}

function parseInterval(text: string): number {
  const intervalMs = Number(text);
  if (/^[0-9]+$/.test(text) && intervalMs >= MIN_INTERVAL_MS && intervalMs <= MAX_INTERVAL_MS) return intervalMs;
  const allowed = `a whole number of milliseconds from ${MIN_INTERVAL_MS} to ${MAX_INTERVAL_MS}`;
  throw new ConfigError("HEARTBEAT_INTERVAL_MS", allowed, text);
}

function parsePartitionCount(text: string): number {
  const count = Number(text);
  if (/^[0-9]+$/.test(text) && count >= 1 && count <= MAX_PARTITIONS) return count;
  throw new ConfigError("REDIS_PARTITIONS", `a whole number from 1 to ${MAX_PARTITIONS}`, text);
}

function parseLogLevel(text: string): string {
  if (LOG_LEVELS.includes(text)) return text;
  throw new ConfigError("LOG_LEVEL", `one of ${LOG_LEVELS.join(", ")}`, text);
}

/** Treats an empty variable as unset, because shells and compose files set empty variables. */
function given(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}
