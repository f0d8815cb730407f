const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * How long ago `thenMs` was: `just now`, `20 s ago`, `2 min ago`, `3 h ago`, `5 days ago`.
 *
 * Seconds advance in steps of five, so that a list doesn't change every second. A time in the future (by a small clock
 * difference) is `just now`.
 */
export function relativeTime(thenMs: number, nowMs: number): string {
  const agoMs = nowMs - thenMs;
  if (agoMs < 5 * SECOND_MS) return "just now";
  if (agoMs < MINUTE_MS) return `${Math.floor(agoMs / (5 * SECOND_MS)) * 5} s ago`;
  if (agoMs < HOUR_MS) return `${Math.floor(agoMs / MINUTE_MS)} min ago`;
  if (agoMs < DAY_MS) return `${Math.floor(agoMs / HOUR_MS)} h ago`;
  const days = Math.floor(agoMs / DAY_MS);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** A duration as text: `4 ms`, `870 ms`, `7.4 s`, `2 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < SECOND_MS) return `${Math.max(0, Math.round(durationMs))} ms`;
  if (durationMs < MINUTE_MS) return `${(durationMs / SECOND_MS).toFixed(1)} s`;
  return `${Math.round(durationMs / MINUTE_MS)} min`;
}

/** Whole seconds until `thenMs`, rounded up, at least 1. */
export function secondsUntil(thenMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((thenMs - nowMs) / SECOND_MS));
}
