/**
 * Collects items and hands them over together: what comes alone with the next painted frame, what follows soon after it a
 * little later, so that a stream of changes costs a few renders a second and not one a frame. Where nothing is painted (a
 * hidden tab) a timer does instead.
 *
 * @param restMs how long after one delivery the next one comes at the earliest
 */
export function createFrameQueue<Item>(deliver: (items: Item[]) => void, restMs: number) {
  let items: Item[] = [];
  let cancel: (() => void) | undefined;
  let restUntilMs = 0;

  function flush(): void {
    cancel?.();
    cancel = undefined;
    const batch = items;
    items = [];
    if (batch.length === 0) return;
    deliver(batch);
    // From the end of the work: however slow the machine is, it has this long for other things.
    restUntilMs = performance.now() + restMs;
  }

  return {
    add(more: readonly Item[]): void {
      items.push(...more);
      cancel ??= scheduleFrame(flush, restUntilMs - performance.now());
    },
    /** Hands over what waits, at once. */
    flush,
    /** Drops what waits. */
    clear(): void {
      items = [];
      cancel?.();
      cancel = undefined;
    },
  };
}

const HIDDEN_DELAY_MS = 100;

/** @param delayMs when to begin asking for a frame; not in the future if it is negative */
function scheduleFrame(callback: () => void, delayMs: number): () => void {
  let frame: number | undefined;
  const askForFrame = () => {
    frame = requestAnimationFrame(callback);
  };
  const rest = delayMs > 0 ? setTimeout(askForFrame, delayMs) : undefined;
  if (rest === undefined) askForFrame();
  // A frame that was asked for while visible never comes once the tab is hidden, so the timer always stands by.
  const timer = setTimeout(callback, Math.max(0, delayMs) + HIDDEN_DELAY_MS);
  return () => {
    clearTimeout(rest);
    clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
}
