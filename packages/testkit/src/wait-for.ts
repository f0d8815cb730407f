import { setTimeout as sleep } from "node:timers/promises";

const POLL_INTERVAL_MS = 25;
const TIMEOUT_MS = 60_000;

/**
 * Polls `condition` every 25 ms until it is true.
 *
 * @param what the awaited condition, for the error message
 * @returns how long it took, in ms
 * @throws an error that names `what` after `timeoutMs` (60 s by default)
 */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {},
): Promise<number> {
  const startMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startMs > timeoutMs) throw new Error(`Timed out after ${timeoutMs} ms: ${what}.`);
    await sleep(POLL_INTERVAL_MS);
  }
  return performance.now() - startMs;
}
