/** The trigger host as a separate program: `node gears/dist/host.js` or `npm run gears`. */
import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { type Environment, type HostConfig, parseHostConfig } from "./config.ts";
import { readClockSilenceMs } from "./host/clock-silence.ts";
import { loadRedisGears } from "./host/library.ts";
import { type Partition, partitionsOf } from "./host/partitions.ts";
import { describeRedisAddress } from "./host/redis-address.ts";
import { connected, createConnection } from "./host/redis-connection.ts";
import { startTriggerHost } from "./host/trigger-host.ts";
import { readableLog } from "./readable-log.ts";

const HOST_ID_BYTES = 4;
/** The deadline clock sweeps every 0.1 intervals. If the last sweep is older than this, no trigger host works. */
const MAX_SWEEP_AGE_INTERVALS = 1;
const silentLogger = pino({ level: "silent" });

export interface RunningHost {
  /** A description of its Redis, without the password. */
  redis: string;
  close(): Promise<void>;
}

/**
 * Starts a trigger host. If Redis is unreachable, it retries.
 *
 * @throws an error with a one-line message for the operator if a setting is invalid
 */
export async function main({ env }: { env: Environment }): Promise<RunningHost> {
  const config = parseHostConfig(env);
  const base = { host: `triggers-${randomBytes(HOST_ID_BYTES).toString("hex")}` };
  const logger = pino({ level: config.logLevel, base, ...readableLog });
  const host = startTriggerHost({ ...config, logger });
  logger.info({ redis: nameOf(config) }, "hosting triggers");
  return {
    redis: nameOf(config),
    close: async () => {
      await host.stop();
      logger.info("stopped");
    },
  };
}

/**
 * Loads the RedisGears library into a Redis with RedisGears, with the configured `d`.
 *
 * @returns the result in one line
 * @throws an error with a one-line message for the operator
 */
export function load({ env }: { env: Environment }): Promise<string> {
  const config = parseHostConfig(env);
  return withRedis(config, async (redis) => {
    const outcome = await loadRedisGears(redis, config.heartbeatIntervalMs);
    if (outcome === "no-redisgears") {
      throw new Error(
        `Redis at ${nameOf(config)} has no RedisGears. Nothing needs loading there: the trigger host (npm run gears) and ` +
          "each server load the Redis Functions library themselves.",
      );
    }
    if (outcome === "newer-is-loaded")
      return `Redis at ${nameOf(config)} already has a newer library. Nothing was loaded.`;
    return `Loaded the RedisGears library into Redis at ${nameOf(config)}, for heartbeats every ${config.heartbeatIntervalMs} ms.`;
  });
}

/**
 * Checks whether any trigger host sweeps the leases.
 *
 * @returns the time since the last sweep, in one line
 * @throws an error with a one-line message if no host does
 */
export async function check({ env }: { env: Environment }): Promise<string> {
  const config = parseHostConfig(env);
  const silencesMs: number[] = [];
  for (const partition of partitionsOf(config.redisUrl, config.partitionCount)) {
    const silenceMs = await withRedis(config, readClockSilenceMs, partition);
    if (silenceMs === undefined) throw new Error("The deadline clock has never run on this Redis.");
    silencesMs.push(silenceMs);
  }
  const longestMs = Math.max(...silencesMs);
  const lastRun = `The deadline clock last ran ${longestMs} ms ago`;
  if (longestMs > MAX_SWEEP_AGE_INTERVALS * config.heartbeatIntervalMs) {
    throw new Error(`${lastRun}: no trigger host works.`);
  }
  return `${lastRun}.`;
}

async function withRedis<Result>(
  config: HostConfig,
  use: (redis: ReturnType<typeof createConnection>) => Promise<Result>,
  partition?: Partition,
): Promise<Result> {
  const redis = createConnection(config.redisUrl, "presence-command", silentLogger, partition);
  try {
    await connected(redis).catch((error: Error) => {
      throw new Error(`Redis at ${nameOf(config)} can't be used (${error.message.replace(/\.$/, "")}).`);
    });
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

function nameOf({ redisUrl }: HostConfig): string {
  return describeRedisAddress(redisUrl);
}

async function runUntilSignalled(): Promise<void> {
  const starting = main({ env: process.env });
  const stop = () => void starting.then((host) => host.close()).then(() => process.exit(0));
  // Registered before the start, because a signal may arrive right after the first log line.
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  await starting;
}

function isEntryPoint(): boolean {
  const [, entry] = process.argv;
  return entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url);
}

async function runAsProgram(): Promise<void> {
  const [command] = process.argv.slice(2);
  if (command === undefined) await runUntilSignalled();
  else if (command === "--check") process.stdout.write(`${await check({ env: process.env })}\n`);
  else throw new Error(`The argument must be --check or nothing, not ${JSON.stringify(command)}.`);
}

if (isEntryPoint()) {
  runAsProgram().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
