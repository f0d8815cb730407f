/** The longest wait of a back-off, in ms, whatever the heartbeat interval. */
const MAX_BACK_OFF_MS = 10_000;
/** The longest wait of a back-off, in heartbeat intervals. */
const MAX_BACK_OFF_INTERVALS = 0.5;
/** The shortest wait, in ms, so that a server that refuses immediately isn't flooded with attempts. */
const MIN_BACK_OFF_MS = 250;
/** `retry:` and the intended `Retry-After`, in heartbeat intervals. */
const RETRY_INTERVALS = { min: 0.1, max: 0.3 };
/** The upper bounds of both ends of that range, in ms. */
const MAX_RETRY_MS = { min: 1_000, max: 3_000 };

/**
 * The upper bound of a back-off, in ms: half a heartbeat interval.
 *
 * After an outage, a client that was connected before counts as `OFFLINE` if no server has reported it within 1.25
 * intervals. The longest `Retry-After` and the longest back-off together take less than one interval, so a quarter of an
 * interval remains for opening the stream.
 */
export function maxBackOffMs(heartbeatIntervalMs: number): number {
  return Math.min(MAX_BACK_OFF_MS, MAX_BACK_OFF_INTERVALS * heartbeatIntervalMs);
}

/**
 * Exponential back-off with full jitter. The jitter spreads the attempts of clients that lost their connections at the
 * same time.
 *
 * @param attempt number of failed attempts in a row, from 1
 * @param baseMs upper bound of the first wait; it doubles with each attempt
 * @param capMs upper bound of every wait
 * @param random in [0, 1)
 * @returns the time to wait before the next attempt, in ms
 */
export function backOffMs(attempt: number, baseMs: number, capMs: number, random: number): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 16));
  return Math.max(Math.min(MIN_BACK_OFF_MS, capMs / 2), Math.round(random * ceilingMs));
}

/** The range of the server's `retry:`, in ms. Well below the shortest remaining lease of half an interval. */
export function retryRangeMs(heartbeatIntervalMs: number): { min: number; max: number } {
  return {
    min: Math.min(MAX_RETRY_MS.min, Math.ceil(RETRY_INTERVALS.min * heartbeatIntervalMs)),
    max: Math.min(MAX_RETRY_MS.max, Math.floor(RETRY_INTERVALS.max * heartbeatIntervalMs)),
  };
}

/**
 * `Retry-After` of a server that is unavailable for a short time, in whole seconds. The wait is rounded up, but never to
 * more than half a heartbeat interval.
 *
 * @param retryMs the intended wait, from `retryRangeMs`
 */
export function retryAfterSeconds(retryMs: number, heartbeatIntervalMs: number): number {
  const seconds = Math.ceil(retryMs / 1_000);
  return seconds * 1_000 <= heartbeatIntervalMs / 2 ? seconds : Math.floor(retryMs / 1_000);
}
