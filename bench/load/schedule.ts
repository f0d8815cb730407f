/** A number of events, spread evenly over time. */
export interface Pace {
  count: number;
  perSecond: number;
}

const TICK_MS = 1;

/**
 * Calls `send` for each event when it is due.
 *
 * @param send gets the index of the event, and when it was due, ms since the epoch
 * @returns when the first event was due, and a promise for the time when all have been sent
 */
export function sendAtPace({ count, perSecond }: Pace, send: (index: number, dueMs: number) => void) {
  const startMs = epochMs();
  const isDone = new Promise<void>((resolve) => {
    let next = 0;
    const timer = setInterval(() => {
      const nowMs = epochMs();
      for (; next < count; next++) {
        const dueMs = startMs + (1_000 * next) / perSecond;
        if (dueMs > nowMs) return;
        send(next, dueMs);
      }
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  return { startMs, isDone };
}

/** The system's clock with fractions, ms since the epoch. All processes of a machine share it. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
