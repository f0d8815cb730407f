import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { LIBRARY_VERSION } from "../library-version.ts";
import { GATE_KEY } from "../presence/keys.ts";

/** What runs the logic: RedisGears if the Redis has it, else Redis Functions. */
export type Runtime = "redisgears" | "redis-functions";

const LIBRARIES: Record<Runtime, string> = {
  redisgears: "@presence/gears/dist/presence.redisgears.js",
  "redis-functions": "@presence/gears/dist/presence.lua",
};

/** Calls the logic's functions by name. */
export interface PresenceLibrary {
  readonly runtime: Runtime;
  call(name: string, args: readonly string[]): Promise<unknown>;
}

/** The library in a Redis. It is loaded again if Redis has lost it. */
export class LoadedLibrary implements PresenceLibrary {
  readonly runtime: Runtime;
  readonly #redis: Redis;
  readonly #heartbeatIntervalMs: number;
  readonly #logger: Logger;

  private constructor(redis: Redis, runtime: Runtime, heartbeatIntervalMs: number, logger: Logger) {
    this.runtime = runtime;
    this.#redis = redis;
    this.#heartbeatIntervalMs = heartbeatIntervalMs;
    this.#logger = logger;
  }

  /** Detects the runtime of this Redis and loads the library into it, if necessary. */
  static async load(redis: Redis, heartbeatIntervalMs: number, logger: Logger): Promise<LoadedLibrary> {
    const runtime = await findRuntime(redis);
    await loadLibrary(redis, runtime, heartbeatIntervalMs, logger);
    return new LoadedLibrary(redis, runtime, heartbeatIntervalMs, logger);
  }

  async call(name: string, args: readonly string[]): Promise<unknown> {
    try {
      return await this.#callOnce(name, args);
    } catch (error) {
      if (!isMissingFunction(error)) throw error;
      await loadLibrary(this.#redis, this.runtime, this.#heartbeatIntervalMs, this.#logger);
      return await this.#callOnce(name, args);
    }
  }

  #callOnce(name: string, args: readonly string[]): Promise<unknown> {
    return this.runtime === "redisgears"
      ? this.#redis.call("TFCALL", `presence.${name}`, "0", ...args)
      : this.#redis.call("FCALL", `presence_${name}`, ...keysFor(this.#redis), ...args);
  }
}

/** The number of keys and the keys of a function call. The connection adds the partition's prefix. */
function keysFor(redis: Redis): string[] {
  return isOfPartition(redis) ? ["1", GATE_KEY] : ["0"];
}

function isOfPartition({ options }: Redis): boolean {
  return (options.keyPrefix ?? "") !== "";
}

/** Detects the runtime. Partitions always use Redis Functions, because RedisGears triggers do not support them. */
async function findRuntime(redis: Redis): Promise<Runtime> {
  if (isOfPartition(redis)) return "redis-functions";
  try {
    await redis.call("TFUNCTION", "LIST");
    return "redisgears";
  } catch (error) {
    if (isUnknownCommand(error)) return "redis-functions";
    throw error;
  }
}

/**
 * Loads the library, unless this or a newer version is loaded. Hosts of two versions may share a Redis during an upgrade.
 *
 * @throws if Redis rejects the library
 */
async function loadLibrary(redis: Redis, runtime: Runtime, heartbeatIntervalMs: number, logger: Logger): Promise<void> {
  const loaded = await loadedVersion(redis, runtime);
  if (loaded === LIBRARY_VERSION) return;
  if (loaded > LIBRARY_VERSION) {
    logger.warn(
      { runtime, loaded, ours: LIBRARY_VERSION },
      "Redis has a newer library and keeps it; upgrade this host",
    );
    return;
  }
  const code = await readCode(runtime);
  const replace = ["REPLACE"];
  try {
    // Without REPLACE if there was none: another host may have loaded a newer one in the meantime.
    await loadCode(redis, runtime, loaded === 0 ? [] : replace, heartbeatIntervalMs, code);
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
    if ((await loadedVersion(redis, runtime)) > 0)
      return await loadLibrary(redis, runtime, heartbeatIntervalMs, logger);
    // Another library with the same name and no version function.
    await loadCode(redis, runtime, replace, heartbeatIntervalMs, code);
  }
  logger.info({ runtime, version: LIBRARY_VERSION }, "library loaded");
}

/**
 * Loads the RedisGears library. Also replaces the same version, which may have been loaded with another `d`.
 *
 * @throws if Redis rejects the library
 */
export async function loadRedisGears(
  redis: Redis,
  heartbeatIntervalMs: number,
): Promise<"loaded" | "newer-is-loaded" | "no-redisgears"> {
  const runtime = await findRuntime(redis);
  if (runtime !== "redisgears") return "no-redisgears";
  if ((await loadedVersion(redis, runtime)) > LIBRARY_VERSION) return "newer-is-loaded";
  await loadCode(redis, runtime, ["REPLACE"], heartbeatIntervalMs, await readCode(runtime));
  return "loaded";
}

async function loadCode(
  redis: Redis,
  runtime: Runtime,
  options: readonly string[],
  heartbeatIntervalMs: number,
  code: string,
): Promise<void> {
  if (runtime === "redisgears") {
    await redis.call("TFUNCTION", "LOAD", ...options, "CONFIG", JSON.stringify({ heartbeatIntervalMs }), code);
  } else await redis.call("FUNCTION", "LOAD", ...options, code);
}

function readCode(runtime: Runtime): Promise<string> {
  return readFile(createRequire(import.meta.url).resolve(LIBRARIES[runtime]), "utf8");
}

/** The version of the loaded library; 0 if there is none. */
async function loadedVersion(redis: Redis, runtime: Runtime): Promise<number> {
  try {
    return Number(
      await (runtime === "redisgears"
        ? redis.call("TFCALL", "presence.version", "0")
        : redis.call("FCALL_RO", "presence_version", "0")),
    );
  } catch (error) {
    if (isMissingFunction(error)) return 0;
    throw error;
  }
}

/** Whether the function is missing, for example after a restart without persistence. */
function isMissingFunction(error: unknown): boolean {
  return error instanceof Error && /function not found|unknown (library|function)|not found/i.test(error.message);
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && /already exists/i.test(error.message);
}

function isUnknownCommand(error: unknown): boolean {
  return error instanceof Error && /unknown command|no permissions|noperm/i.test(error.message);
}
