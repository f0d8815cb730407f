import { beforeStop } from "./stop.mjs";

const REDRAW_INTERVAL_MS = 1_000;

/**
 * Tells what is being done while it is being done: "Installing the packages … 12 s" counts on a terminal, and ends as
 * "Installing the packages … done in 24 s" everywhere.
 * @template T
 * @param {string} doing
 * @param {() => Promise<T>} work
 * @returns {Promise<T>} what the work returns or throws
 */
export async function progress(doing, work) {
  const startedAt = performance.now();
  const elapsed = () => `${((performance.now() - startedAt) / 1_000).toFixed(0)} s`;
  process.stdout.write(`${doing} … `);
  const timer = setInterval(() => redraw(doing, elapsed()), REDRAW_INTERVAL_MS);
  const withdraw = beforeStop(() => {
    clearInterval(timer);
    finish(doing, "stopped");
  });
  try {
    const result = await work();
    finish(doing, `done in ${elapsed()}`);
    return result;
  } catch (error) {
    finish(doing, `failed after ${elapsed()}`);
    throw error;
  } finally {
    clearInterval(timer);
    withdraw();
  }
}

/**
 * @param {string} doing
 * @param {string} state
 */
function redraw(doing, state) {
  if (process.stdout.isTTY) {
    process.stdout.write(`\r${doing} … ${state}`);
  }
}

/**
 * @param {string} doing
 * @param {string} state
 */
function finish(doing, state) {
  redraw(doing, "");
  process.stdout.write(`${state}\n`);
}
