import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "./checkout.mjs";
import { beforeStop, isStopping } from "./stop.mjs";

/** How long a child may take to end by itself before it is killed: one whose work is done again anyway, and others. */
const QUIET_GRACE_MS = 500;
const GRACE_MS = 3_000;

/**
 * @typedef {object} Options
 * @property {string} [cwd] default: the checkout
 * @property {Record<string, string>} [env] added to our own
 * @property {number} [timeoutMs] after this the child and all its children are ended
 * @property {number} [graceMs] how long it may take to end by itself, before it is killed
 *
 * @typedef {object} Result
 * @property {boolean} ok whether it ended by itself with status 0
 * @property {boolean} timedOut
 * @property {number} status its exit status; 1 if a signal ended it or it could not be started
 * @property {string} output what it wrote, if that was kept; why it could not be started
 *
 * @typedef {object} Mode
 * @property {import("node:child_process").StdioOptions} stdio
 * @property {boolean} ownGroup a child in a process group of its own can be ended with all its children, but isn't
 *   reached by the terminal's Ctrl-C
 *
 * @typedef {object} End
 * @property {number} status
 * @property {NodeJS.Signals | null} [signal] what ended it, if a signal did
 * @property {string} [problem] why it could not be started
 *
 * @typedef {object} Started
 * @property {import("node:child_process").ChildProcess} child
 * @property {Promise<End>} ended
 * @property {() => Promise<void>} end ends it as Ctrl-C would, then by force
 * @property {() => void} kill
 */

/**
 * Runs a command with its output kept to be shown if it fails.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {Options} [options]
 * @returns {Promise<Result>}
 */
export function runQuietly(file, args, options = {}) {
  return run(
    file,
    args,
    { graceMs: QUIET_GRACE_MS, ...options },
    { stdio: ["ignore", "pipe", "pipe"], ownGroup: true },
  );
}

/**
 * Runs a command with its output shown as it comes.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {Options} [options]
 * @returns {Promise<Result>}
 */
export function runShown(file, args, options = {}) {
  return run(file, args, options, { stdio: ["ignore", "inherit", "inherit"], ownGroup: true });
}

/**
 * Hands the terminal over to a command: it reads the keyboard, and Ctrl-C reaches it as it reaches us.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {Options} [options]
 * @returns {Promise<Result>}
 */
export function runInForeground(file, args, options = {}) {
  return run(file, args, options, { stdio: "inherit", ownGroup: false });
}

/**
 * Starts a command that runs beside us, in a process group of its own, until it ends or is ended. Nobody ends it for us,
 * but for the worst case: it doesn't outlive us.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {Options} [options]
 * @returns {Started} with its output in pipes
 */
export function startBeside(file, args, options = {}) {
  const started = spawnChild(file, args, options, { stdio: ["ignore", "pipe", "pipe"], ownGroup: true });
  process.once("exit", started.kill);
  void started.ended.then(() => process.off("exit", started.kill));
  return started;
}

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @param {Options} options
 * @param {Mode} mode
 * @returns {Promise<Result>}
 */
async function run(file, args, options, mode) {
  const { child, ended, end } = spawnChild(file, args, options, mode);
  const { timeoutMs } = options;
  const output = keepOutput(child);
  const withdraw = beforeStop(end);
  let timedOut = false;
  const onTimeout = () => {
    timedOut = true;
    void end();
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);

  const { status, problem } = await ended;
  clearTimeout(timer);
  withdraw();
  if (isStopping()) {
    // It ended because everything ends: whoever waits must not take that for a result and go on to the next thing.
    return new Promise(() => {});
  }
  return { ok: status === 0 && !timedOut, timedOut, status, output: problem ?? output() };
}

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @param {Options} options
 * @param {Mode} mode
 * @returns {Started}
 */
function spawnChild(file, args, { cwd = root, env = {}, graceMs = GRACE_MS }, { stdio, ownGroup }) {
  const detached = ownGroup && process.platform !== "win32";
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio, detached });
  const ended = exitStatus(child);
  return {
    child,
    ended,
    end: () => endChild(child, ended, detached, graceMs),
    kill: () => sendSignal(child, "SIGKILL", detached),
  };
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {() => string} what it has written so far, both streams in the order of arrival
 */
function keepOutput(child) {
  /** @type {Buffer[]} */
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => chunks.push(chunk));
  }
  return () => Buffer.concat(chunks).toString();
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<End>}
 */
async function exitStatus(child) {
  try {
    const [code, signal] = await once(child, "close");
    return { status: code ?? 1, signal };
  } catch (error) {
    return { status: 1, problem: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Ends a child as Ctrl-C would, then by force. One in our own process group had the Ctrl-C from the terminal already,
 * and might take a second one for impatience.
 * @param {import("node:child_process").ChildProcess} child
 * @param {Promise<unknown>} ended
 * @param {boolean} ownGroup
 * @param {number} graceMs
 */
async function endChild(child, ended, ownGroup, graceMs) {
  const isOver = () => Promise.race([ended.then(() => true), delay(graceMs, false)]);
  if (ownGroup) {
    sendSignal(child, "SIGINT", ownGroup);
  }
  if (!(await isOver())) {
    sendSignal(child, "SIGTERM", ownGroup);
    await isOver();
  }
  // What the child itself started may still be there.
  sendSignal(child, "SIGKILL", ownGroup);
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} signal
 * @param {boolean} wholeGroup
 */
function sendSignal(child, signal, wholeGroup) {
  try {
    if (wholeGroup && child.pid !== undefined) {
      process.kill(-child.pid, signal);
    } else {
      child.kill(signal);
    }
  } catch {
    // It is gone already.
  }
}
