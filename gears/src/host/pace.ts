import { setTimeout as delay } from "node:timers/promises";

/** Waits, but no longer than `signal` allows. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await delay(durationMs, undefined, { signal }).catch(() => {});
}

/** How long to wait after something has failed, in ms: Redis may be away, and is asked again gently. */
export const RETRY_MS = 200;

/**
 * How long after one call the next of its kind waits, in ms, where there is anything to do: what comes in quick succession
 * is worked off together, as what costs is the call. Who comes alone waits for nobody.
 */
export const WINDOW_MS = 5;
