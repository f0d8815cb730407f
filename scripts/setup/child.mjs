import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "./checkout.mjs";
import { isStopping, onStop } from "./signals.mjs";

const STOP_LIMIT_MS = 3_000;

/**
 * @typedef {object} ChildOptions
 * @property {Record<string, string>} [env] added to the environment of this process
 * @property {import("node:child_process").StdioOptions} [stdio] default: the terminal of this process
 * @property {boolean} [ownGroup] run in a new process group: signals then reach its children as well, but Ctrl-C in the
 *   terminal does not reach it
 *
 * @typedef {{ status: number, reason: string }} End `status` is 1 if a signal ended it or it could not be started
 *
 * @typedef {object} Child
 * @property {import("node:child_process").ChildProcess} process
 * @property {Promise<End>} ended
 * @property {(signal?: NodeJS.Signals) => Promise<void>} stop default: SIGINT. SIGKILL follows after 3 s
 */

/**
 * Starts a command in the checkout. It is killed if this process exits.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {ChildOptions} [options]
 * @returns {Child}
 */
export function startChild(file, args, { env = {}, stdio = "inherit", ownGroup = false } = {}) {
  const detached = ownGroup && process.platform !== "win32";
  const child = spawn(file, args, { cwd: root, env: { ...process.env, ...env }, stdio, detached });
  const send = (/** @type {NodeJS.Signals} */ signal) => {
    try {
      detached ? process.kill(-(child.pid ?? Number.NaN), signal) : child.kill(signal);
    } catch {
      // It has ended.
    }
  };
  const kill = () => send("SIGKILL");
  process.once("exit", kill);
  /** @type {Promise<End>} */
  const ended = new Promise((resolve) => {
    child.once("error", ({ message }) => resolve({ status: 1, reason: message }));
    child.once("close", (status, signal) =>
      resolve({ status: status ?? 1, reason: signal ?? `exit status ${status}` }),
    );
  });
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
    process.off("exit", kill);
  });
  const stop = async (/** @type {NodeJS.Signals} */ signal = "SIGINT") => {
    if (hasEnded) {
      return;
    }
    // Ctrl-C has reached a child in our own group already. Test runners take a second one as "quit at once".
    if (detached || signal !== "SIGINT") {
      send(signal);
    }
    await Promise.race([ended, delay(STOP_LIMIT_MS, undefined, { ref: false })]);
    kill();
    await ended;
  };
  return { process: child, ended, stop };
}

/**
 * Runs a command to its end. Never resolves if this process is stopping, so that no caller goes on to the next step.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {ChildOptions & { timeoutMs?: number }} [options] after the timeout, the command and its children are stopped
 * @returns {Promise<End & { timedOut: boolean }>}
 */
export async function run(file, args, { timeoutMs, ...options } = {}) {
  const child = startChild(file, args, { ...options, ownGroup: timeoutMs !== undefined });
  const removeStop = onStop(child.stop);
  let timedOut = false;
  const onTimeout = () => {
    timedOut = true;
    void child.stop();
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
  const end = await child.ended;
  clearTimeout(timer);
  removeStop();
  return isStopping() ? new Promise(() => {}) : { ...end, timedOut };
}

/**
 * @param {readonly string[]} args
 * @returns {[file: string, args: readonly string[]]} the npm that runs this process, else the npm on the PATH
 */
export function npm(...args) {
  const cli = process.env["npm_execpath"] ?? "";
  return cli.endsWith("npm-cli.js") ? [process.execPath, [cli, ...args]] : ["npm", args];
}
