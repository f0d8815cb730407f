import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 25;
const PATIENCE_MS = 60_000;

/**
 * Looks again and again whether `condition` holds.
 *
 * @param what is waited for, in words
 * @returns how long it took, in ms
 * @throws where it doesn't come within a minute, or the time given
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { patienceMs = PATIENCE_MS }: { patienceMs?: number } = {},
): Promise<number> {
  const startMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startMs > patienceMs) throw new Error(`Within ${patienceMs} ms it did not come: ${what}.`);
    await sleep(POLL_MS);
  }
  return performance.now() - startMs;
}
