// Like node-version.mjs, this must be readable for an old Node: the modern modules come in only after the check.
import { isSupportedNode, unsupportedNodeMessage } from "./node-version.mjs";
import { PlainError } from "./plain-error.mjs";

/**
 * Runs a command: on a Node that is too old it says so instead, and an error that it throws is shown as plainly as it
 * allows. Either ends the process with status 1.
 * @param {() => Promise<unknown>} command
 */
export function runCommand(command) {
  const version = process.versions.node;
  if (isSupportedNode(version)) {
    command().catch((error) => fail(describe(error)));
  } else {
    fail(unsupportedNodeMessage(version));
  }
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exit(1);
}

/**
 * @param {unknown} error
 * @returns {string} the message where that tells the cause (ours, or the system's: disk full, no permission), else all
 */
function describe(error) {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const isPlain = error instanceof PlainError || "syscall" in error;
  return isPlain ? error.message : error.stack || error.message;
}
