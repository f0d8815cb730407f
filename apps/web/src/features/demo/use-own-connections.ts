import { useEffect, useState } from "react";

const LOCK = "presence.demo";

/**
 * Whether this page may open one connection per client. Only one page in a browser may: with HTTP/1.1 a browser opens six
 * connections to a server, and the demo uses three. `undefined` until the lock is requested. Another page gets the lock
 * when this one is closed.
 */
export function useOwnConnections(): boolean | undefined {
  const [hasLock, setHasLock] = useState<boolean>();

  useEffect(() => {
    if (navigator.locks === undefined) {
      setHasLock(true);
      return;
    }
    const stop = new AbortController();
    const holdUntilStopped = () =>
      new Promise<void>((release) => {
        setHasLock(true);
        stop.signal.addEventListener("abort", () => release());
      });

    async function claim(): Promise<void> {
      await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
        if (lock !== null) return holdUntilStopped();
        setHasLock(false);
        return undefined;
      });
      if (!stop.signal.aborted) await navigator.locks.request(LOCK, { signal: stop.signal }, holdUntilStopped);
    }

    claim().catch((error: unknown) => {
      // An abort is expected: it removes a waiting page from the lock's queue.
      if (!stop.signal.aborted) throw error;
    });
    return () => stop.abort();
  }, []);

  return hasLock;
}
