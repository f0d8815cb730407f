import { DEFAULT_PARTITION_COUNT } from "./host/partitions.ts";
import { parseRedisAddress, REDIS_URLS_ALLOWED } from "./host/redis-address.ts";

/** How a trigger host runs, parsed once from the environment. */
export interface HostConfig {
  redisUrl: string;
  /** `d`, in ms: the same for all servers and hosts of one Redis. */
  heartbeatIntervalMs: number;
  /** How many partitions a cluster's clients are spread over: the same for all servers and hosts of one cluster. */
  partitionCount: number;
  logLevel: string;
}

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];
const LEAST_INTERVAL_MS = 100;
const MOST_INTERVAL_MS = 600_000;
const MOST_PARTITIONS = 1_024;

/** A setting that can't be right; the message names it and says what is allowed, in one line. */
class ConfigError extends Error {
  constructor(name: string, allowed: string, value: string | undefined) {
    super(`${name} must be ${allowed}${value === undefined ? "" : `, not ${JSON.stringify(value)}`}.`);
    this.name = "ConfigError";
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError} on the first setting that is wrong */
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
  if (/^[0-9]+$/.test(text) && intervalMs >= LEAST_INTERVAL_MS && intervalMs <= MOST_INTERVAL_MS) return intervalMs;
  const allowed = `a whole number of milliseconds from ${LEAST_INTERVAL_MS} to ${MOST_INTERVAL_MS}`;
  throw new ConfigError("HEARTBEAT_INTERVAL_MS", allowed, text);
}

function parsePartitionCount(text: string): number {
  const count = Number(text);
  if (/^[0-9]+$/.test(text) && count >= 1 && count <= MOST_PARTITIONS) return count;
  throw new ConfigError("REDIS_PARTITIONS", `a whole number from 1 to ${MOST_PARTITIONS}`, text);
}

function parseLogLevel(text: string): string {
  if (LOG_LEVELS.includes(text)) return text;
  throw new ConfigError("LOG_LEVEL", `one of ${LOG_LEVELS.join(", ")}`, text);
}

/** An empty variable counts as none, as shells and compose files make them. */
function given(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}
