/** The trigger host as a program of its own: `node gears/dist/host.js`, or `npm run gears`. */
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
/** The clock sweeps every tenth of an interval; a platform whose last sweep is older than this many has no clock. */
const SILENT_INTERVALS = 1;
const silentLogger = pino({ level: "silent" });

export interface RunningHost {
  /** Which Redis it works beside. */
  redis: string;
  close(): Promise<void>;
}

/**
 * Starts a trigger host. It goes on trying where Redis can't be reached.
 *
 * @throws an error whose message is one line that says what to do, where a setting is wrong
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
 * Loads the RedisGears library into a Redis that has RedisGears, with this `d`.
 *
 * @returns what has been done, in one line
 * @throws an error whose message is one line that says what to do
 */
export function load({ env }: { env: Environment }): Promise<string> {
  const config = parseHostConfig(env);
  return withRedis(config, async (redis) => {
    const outcome = await loadRedisGears(redis, config.heartbeatIntervalMs);
    if (outcome === "no-redisgears") {
      throw new Error(
        `Redis at ${nameOf(config)} has no RedisGears. Nothing needs loading there: the trigger host (npm run gears) and ` +
          "each server bring the library for Redis Functions along.",
      );
    }
    if (outcome === "newer-is-there")
      return `Redis at ${nameOf(config)} has a newer library than this one, and keeps it.`;
    return `Loaded the RedisGears library into Redis at ${nameOf(config)}, for heartbeats every ${config.heartbeatIntervalMs} ms.`;
  });
}

/**
 * Asks whether leases are being swept, by whichever host.
 *
 * @returns when they were last, in one line
 * @throws an error whose message says so in one line, where they aren't
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
  const words = `The deadline clock last ran ${longestMs} ms ago`;
  if (longestMs > SILENT_INTERVALS * config.heartbeatIntervalMs) throw new Error(`${words}: no trigger host works.`);
  return `${words}.`;
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
  // Heard from the start: whoever reads that it works may tell it to stop at once.
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
