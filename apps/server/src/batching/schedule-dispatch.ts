/**
 * Calls `dispatch` in the next turn of the event loop, but not before `notBeforeMs` (monotonic clock). A single request
 * is dispatched without delay; requests that follow within the batching window share a batch.
 */
export function scheduleDispatch(dispatch: () => void, notBeforeMs: number): void {
  const waitMs = notBeforeMs - performance.now();
  if (waitMs <= 0) setImmediate(dispatch);
  else setTimeout(dispatch, waitMs);
}
