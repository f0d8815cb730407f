import { setTimeout as delay } from "node:timers/promises";

/** Waits until the duration has passed or `signal` aborts. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await delay(durationMs, undefined, { signal }).catch(() => {});
}

/** The delay before a retry, in ms. */
export const RETRY_MS = 200;

/**
 * The minimum time between two calls of the same kind, in ms. Each call has a fixed cost, so events in quick succession
 * are processed together. A single event is processed without delay.
 */
export const WINDOW_MS = 5;
