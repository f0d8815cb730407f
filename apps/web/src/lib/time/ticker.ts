/** A clock shared by everything on the page that shows changing times. */
export interface Ticker {
  /** The time of the last tick, ms since the epoch. It doesn't change between two ticks. */
  now(): number;
  /** Calls `listener` after each tick until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

/** Creates a ticker that ticks at whole seconds, and runs only while it has listeners. */
function createTicker(): Ticker {
  const listeners = new Set<() => void>();
  let nowMs = Date.now();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(): void {
    timer = setTimeout(tick, 1000 - (Date.now() % 1000));
  }

  function tick(): void {
    nowMs = Date.now();
    schedule();
    for (const listener of listeners) listener();
  }

  return {
    now: () => nowMs,
    subscribe(listener) {
      if (listeners.size === 0) {
        nowMs = Date.now();
        schedule();
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) clearTimeout(timer);
      };
    },
  };
}

export const ticker = createTicker();
