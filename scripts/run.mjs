// Runs one command of package.json: `node scripts/run.mjs NAME [arguments]`. Old versions of Node must be able to read
// this file and node-version.mjs, so modern modules are imported only after the version check.
import { isSupportedNode, unsupportedNodeMessage } from "./setup/node-version.mjs";
import { PlainError } from "./setup/plain-error.mjs";

const [, , name] = process.argv;
process.argv.splice(2, 1);
if (isSupportedNode(process.versions.node)) {
  import(`./${name}.mjs`).catch((error) => fail(describeError(error)));
} else {
  fail(unsupportedNodeMessage(process.versions.node));
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exit(1);
}

/**
 * @param {unknown} error
 * @returns {string} the message alone if it names the cause (our errors, system errors such as a full disk), else the stack
 */
function describeError(error) {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const isPlain = error instanceof PlainError || "syscall" in error;
  return isPlain ? error.message : error.stack || error.message;
}
