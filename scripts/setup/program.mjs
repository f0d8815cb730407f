import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { root } from "./checkout.mjs";
import { PlainError } from "./plain-error.mjs";
import { beforeStop } from "./stop.mjs";

const CLOSE_LIMIT_MS = 1_500;
/** So that a line of log among ours means something. */
const QUIET_LOG_LEVEL = "warn";

/**
 * Imports a program that has been built.
 * @param {string} path relative to the checkout
 */
export function importBuilt(path) {
  return import(pathToFileURL(join(root, path)).href);
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv} the same, with a log level at which our own lines stay readable, unless one is set
 */
export function quietly(env) {
  return { ...env, LOG_LEVEL: env["LOG_LEVEL"] || QUIET_LOG_LEVEL };
}

/**
 * The programs' own errors say in one line what to do, and are shown as such.
 * @template T
 * @param {() => Promise<T>} call
 * @returns {Promise<T>}
 */
export async function inPlainWords(call) {
  try {
    return await call();
  } catch (error) {
    const isBug = error instanceof TypeError || error instanceof ReferenceError || !(error instanceof Error);
    throw isBug ? error : new PlainError(error.message, { cause: error });
  }
}

/**
 * Closes a program of ours when we are told to stop.
 * @param {{ close(): Promise<void> }} program
 */
export function closeWhenStopped(program) {
  beforeStop(async () => {
    process.stdout.write("\nStopping … ");
    await Promise.race([program.close(), delay(CLOSE_LIMIT_MS)]);
    process.stdout.write("done\n");
  }, 0);
}
