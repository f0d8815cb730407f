/** How often we look whether the npm that started us is still there. */
const ORPHAN_CHECK_INTERVAL_MS = 250;

const SIGNAL_STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** @typedef {() => Promise<void> | void} Cleanup */

/** @type {Map<Cleanup, number | undefined>} cleanup → the exit status that it asks for */
const cleanups = new Map();
let stopping = false;

/** Whether we were told to stop: what ends from now on ended because of that. */
export function isStopping() {
  return stopping;
}

/**
 * Registers what must end before we do. Cleanups run one by one, the last registered first, and bound themselves in time.
 * @param {Cleanup} cleanup
 * @param {number} [status] the exit status, if not the signal's own
 * @returns {() => void} takes it back
 */
export function beforeStop(cleanup, status) {
  cleanups.set(cleanup, status);
  return () => cleanups.delete(cleanup);
}

/** From now on Ctrl-C, a polite kill, a closed terminal, or the end of the npm that started us ends us cleanly. */
export function stopWhenTold() {
  for (const [signal, status] of Object.entries(SIGNAL_STATUS)) {
    process.on(signal, () => void stop(status));
  }
  if (process.env["npm_lifecycle_event"] !== undefined) {
    stopWithParent();
  }
}

/**
 * npm passes signals on to the shell that it runs us in, and that shell may die of one without telling us.
 */
function stopWithParent() {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) {
      void stop(SIGNAL_STATUS.SIGTERM);
    }
  }, ORPHAN_CHECK_INTERVAL_MS);
  timer.unref();
}

/**
 * A terminal and npm may both deliver the same Ctrl-C, so a second signal changes nothing.
 * @param {number} signalStatus
 */
async function stop(signalStatus) {
  if (stopping) {
    return;
  }
  stopping = true;
  const asked = [...cleanups.values()].find((status) => status !== undefined);
  for (const cleanup of [...cleanups.keys()].reverse()) {
    await cleanup();
  }
  process.exit(asked ?? signalStatus);
}
