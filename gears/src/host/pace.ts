import { setTimeout as delay } from "node:timers/promises";

/** Waits, but no longer than `signal` allows. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await delay(durationMs, undefined, { signal }).catch(() => {});
}

/** How long to wait after something has failed, in ms: Redis may be away, and is asked again gently. */
export const RETRY_MS = 200;
