/** The longest wait between two attempts. */
export const BACK_OFF_CAP_MS = 10_000;

/** The shortest wait, so that a server that refuses immediately isn't flooded with attempts. */
const BACK_OFF_FLOOR_MS = 250;

/**
 * Exponential back-off with full jitter. The jitter spreads the attempts of clients that lost their connections at the
 * same time.
 *
 * @param attempt number of failed attempts in a row, from 1
 * @param baseMs upper bound of the first wait; it doubles with each attempt
 * @param random in [0, 1)
 * @returns the time to wait before the next attempt, in ms
 */
export function backOffMs(attempt: number, baseMs: number, random: number): number {
  const ceilingMs = Math.min(BACK_OFF_CAP_MS, baseMs * 2 ** Math.min(attempt - 1, 16));
  return Math.max(BACK_OFF_FLOOR_MS, Math.round(random * ceilingMs));
}
