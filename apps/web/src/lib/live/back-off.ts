/** No wait between attempts is longer. */
export const BACK_OFF_CAP_MS = 10_000;

/** Nor shorter, so that a server that refuses at once isn't hammered. */
const BACK_OFF_FLOOR_MS = 250;

/**
 * How long to wait before the next attempt: exponential with full jitter, so that clients that were lost together don't
 * come back together.
 *
 * @param attempt how many attempts in a row have failed, from 1
 * @param baseMs the upper bound of the first wait; doubles with each attempt
 * @param random in [0, 1)
 */
export function backOffMs(attempt: number, baseMs: number, random: number): number {
  const ceilingMs = Math.min(BACK_OFF_CAP_MS, baseMs * 2 ** Math.min(attempt - 1, 16));
  return Math.max(BACK_OFF_FLOOR_MS, Math.round(random * ceilingMs));
}
