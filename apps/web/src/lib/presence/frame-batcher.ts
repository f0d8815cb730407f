/**
 * Collects items and delivers them in batches, in an animation frame. A minimum interval between deliveries limits the
 * renders under load to a few per second instead of one per frame. In a hidden tab, which gets no frames, a timer delivers
 * them.
 *
 * @param minIntervalMs the shortest time from the end of one delivery to the next, in ms
 */
export function createFrameBatcher<Item>(deliver: (items: Item[]) => void, minIntervalMs: number) {
  let items: Item[] = [];
  let cancel: (() => void) | undefined;
  let nextDeliveryMs = 0;

  function flush(): void {
    cancel?.();
    cancel = undefined;
    const batch = items;
    items = [];
    if (batch.length === 0) return;
    deliver(batch);
    // Measured from the end of the delivery, so that even a slow machine has this time for other work.
    nextDeliveryMs = performance.now() + minIntervalMs;
  }

  return {
    add(more: readonly Item[]): void {
      items.push(...more);
      cancel ??= scheduleFrame(flush, nextDeliveryMs - performance.now());
    },
    /** Delivers the collected items now. */
    flush,
    /** Discards the collected items. */
    clear(): void {
      items = [];
      cancel?.();
      cancel = undefined;
    },
  };
}

const HIDDEN_DELAY_MS = 100;

/** @param delayMs time to wait before requesting the frame; none if it is negative */
function scheduleFrame(callback: () => void, delayMs: number): () => void {
  let frame: number | undefined;
  const requestFrame = () => {
    frame = requestAnimationFrame(callback);
  };
  const delayTimer = delayMs > 0 ? setTimeout(requestFrame, delayMs) : undefined;
  if (delayTimer === undefined) requestFrame();
  // If the tab becomes hidden, a requested frame never comes. So the timer always runs too.
  const timer = setTimeout(callback, Math.max(0, delayMs) + HIDDEN_DELAY_MS);
  return () => {
    clearTimeout(delayTimer);
    clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
}
