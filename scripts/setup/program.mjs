import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { root } from "./checkout.mjs";
import { PlainError } from "./plain-error.mjs";
import { onStop } from "./signals.mjs";

const CLOSE_LIMIT_MS = 1_500;

/**
 * Imports a built program.
 * @param {string} path relative to the checkout
 */
export function importBuilt(path) {
  return import(pathToFileURL(join(root, path)).href);
}

/** @returns {NodeJS.ProcessEnv} the environment; LOG_LEVEL is "warn" by default, so that our own lines stay readable */
export function quietEnvironment() {
  return { ...process.env, LOG_LEVEL: process.env["LOG_LEVEL"] || "warn" };
}

/**
 * Calls a program. Its errors say in one line what to do, and are thrown as PlainErrors.
 * @template T
 * @param {() => Promise<T>} call
 * @returns {Promise<T>}
 */
export async function callProgram(call) {
  try {
    return await call();
  } catch (error) {
    const isBug = error instanceof TypeError || error instanceof ReferenceError || !(error instanceof Error);
    throw isBug ? error : new PlainError(error.message, { cause: error });
  }
}

/**
 * Closes something when this process is told to stop, which is then a success.
 * @param {() => Promise<void>} close
 * @param {number} [limitMs]
 * @returns {() => void} takes it back
 */
export function closeOnStop(close, limitMs = CLOSE_LIMIT_MS) {
  return onStop(async () => {
    process.stdout.write("\nStopping … ");
    await Promise.race([close(), delay(limitMs)]);
    process.stdout.write("done\n");
  }, 0);
}
