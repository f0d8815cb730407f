const EXIT_STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
const PARENT_CHECK_INTERVAL_MS = 250;

/** @typedef {(signal: NodeJS.Signals) => Promise<void> | void} StopFunction */

/** @type {Map<StopFunction, number | undefined>} */
const stopFunctions = new Map();
let stopping = false;

/** Whether this process was told to stop: child processes that end from now on ended because of that. */
export function isStopping() {
  return stopping;
}

/**
 * Registers what to do before this process exits because of a signal. The last registered function runs first. Each
 * function must limit its own time.
 * @param {StopFunction} stop
 * @param {number} [exitStatus] instead of the status of the signal
 * @returns {() => void} removes the function
 */
export function onStop(stop, exitStatus) {
  stopFunctions.set(stop, exitStatus);
  return () => stopFunctions.delete(stop);
}

/** From now on this process stops cleanly on Ctrl-C, on SIGTERM, and when its terminal or its npm process ends. */
export function handleSignals() {
  for (const signal of /** @type {(keyof typeof EXIT_STATUS)[]} */ (Object.keys(EXIT_STATUS))) {
    process.on(signal, () => void stop(signal));
  }
  if (process.env["npm_lifecycle_event"] !== undefined) {
    stopWithParent();
  }
}

/** npm sends signals to the shell in which this process runs. Some shells end without passing them on. */
function stopWithParent() {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) {
      void stop("SIGTERM");
    }
  }, PARENT_CHECK_INTERVAL_MS).unref();
}

/**
 * The terminal and npm may both deliver the same Ctrl-C, so later signals are ignored.
 * @param {keyof typeof EXIT_STATUS} signal
 */
async function stop(signal) {
  if (stopping) {
    return;
  }
  stopping = true;
  const exitStatus = [...stopFunctions.values()].find((status) => status !== undefined) ?? EXIT_STATUS[signal];
  for (const stopFunction of [...stopFunctions.keys()].reverse()) {
    await stopFunction(signal);
  }
  process.exit(exitStatus);
}
