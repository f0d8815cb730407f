/**
 * Collects items and hands them over once per painted frame, so that a burst of changes costs one render. Where nothing
 * is painted (a hidden tab) a timer does instead.
 */
export function createFrameQueue<Item>(deliver: (items: Item[]) => void) {
  let items: Item[] = [];
  let cancel: (() => void) | undefined;

  function flush(): void {
    cancel?.();
    cancel = undefined;
    const batch = items;
    items = [];
    if (batch.length > 0) deliver(batch);
  }

  return {
    add(more: readonly Item[]): void {
      items.push(...more);
      cancel ??= scheduleFrame(flush);
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

function scheduleFrame(callback: () => void): () => void {
  // A frame that was asked for while visible never comes once the tab is hidden, so the timer always stands by.
  const timer = setTimeout(callback, HIDDEN_DELAY_MS);
  const frame = requestAnimationFrame(callback);
  return () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  };
}
