import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { root } from "../setup/checkout.mjs";
import { PlainError } from "../setup/plain-error.mjs";
import { prepare } from "../setup/prepare.mjs";
import { beforeStop, stopWhenTold } from "../setup/stop.mjs";
import { describeRedis, isDemo, welcome } from "./welcome.mjs";

const CLOSE_LIMIT_MS = 1_500;
/** So that a line of log among ours means something. */
const QUIET_LOG_LEVEL = "warn";

/**
 * @typedef {{ url: string, close(): Promise<void> }} RunningServer
 * @typedef {(options: { argv: string[], env: NodeJS.ProcessEnv }) => Promise<RunningServer>} Main
 *   what the server's bundle exports; it rejects with one line that says what to do
 */

/**
 * Prepares the checkout and serves until it is told to stop. Throws a PlainError.
 * @param {{ argv: string[], env: NodeJS.ProcessEnv }} options `argv` is the server's own
 */
export async function start({ argv, env }) {
  stopWhenTold();
  await prepare();
  const server = await serve({ argv, env: { ...env, LOG_LEVEL: env["LOG_LEVEL"] || QUIET_LOG_LEVEL } });
  beforeStop(() => close(server), 0);
  const redis = env["REDIS_URL"]
    ? describeRedis(env["REDIS_URL"], { hostsTriggers: env["TRIGGERS"] !== "elsewhere" })
    : "";
  console.log(welcome(server.url, { isDemo: isDemo(env), redis }));
}

/**
 * @param {{ argv: string[], env: NodeJS.ProcessEnv }} options
 * @returns {Promise<RunningServer>}
 */
async function serve(options) {
  /** @type {{ main: Main }} */
  const { main } = await import(pathToFileURL(join(root, "apps/server/dist/main.js")).href);
  try {
    return await main(options);
  } catch (error) {
    const isBug = error instanceof TypeError || error instanceof ReferenceError || !(error instanceof Error);
    throw isBug ? error : new PlainError(error.message, { cause: error });
  }
}

/** @param {RunningServer} server */
async function close(server) {
  process.stdout.write("\nStopping … ");
  await Promise.race([server.close(), delay(CLOSE_LIMIT_MS)]);
  process.stdout.write("done\n");
}
