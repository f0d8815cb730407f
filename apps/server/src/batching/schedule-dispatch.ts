/**
 * Calls `run` in the next turn of the event loop, and not before `notBeforeMs` on the monotonic clock: who comes alone
 * waits for nobody, and those who come in quick succession can be served together.
 */
export function scheduleDispatch(run: () => void, notBeforeMs: number): void {
  const waitMs = notBeforeMs - performance.now();
  if (waitMs <= 0) setImmediate(run);
  else setTimeout(run, waitMs);
}
