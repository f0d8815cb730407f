/** So many in all, evenly spread over time. */
export interface Pace {
  count: number;
  perSecond: number;
}

const TICK_MS = 1;

/**
 * Calls `send` for each when it is due: each by itself, unless this process is late.
 *
 * @param send given which it is, from 0, and when it was due, ms since the epoch
 * @returns when all have been sent; when the first was due is known at once
 */
export function pace({ count, perSecond }: Pace, send: (index: number, dueMs: number) => void) {
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

/** By the clock that all processes of a machine share, with fractions: ms since the epoch. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
