import { useEffect, useState } from "react";

const LOCK = "presence.demo";

/**
 * Whether this page may give each of its clients a connection of its own: only one page in a browser may, since HTTP/1.1
 * has six connections to a server and the demo takes three. `undefined` until that is known. A page that has to wait
 * gets its turn when the other one is gone.
 */
export function useOwnConnections(): boolean | undefined {
  const [isOwner, setOwner] = useState<boolean>();

  useEffect(() => {
    if (navigator.locks === undefined) {
      setOwner(true);
      return;
    }
    const stop = new AbortController();
    const holdUntilStopped = () =>
      new Promise<void>((release) => {
        setOwner(true);
        stop.signal.addEventListener("abort", () => release());
      });

    async function claim(): Promise<void> {
      await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
        if (lock !== null) return holdUntilStopped();
        setOwner(false);
        return undefined;
      });
      if (!stop.signal.aborted) await navigator.locks.request(LOCK, { signal: stop.signal }, holdUntilStopped);
    }

    claim().catch((error: unknown) => {
      // Being stopped while in the queue is how a waiting page leaves it.
      if (!stop.signal.aborted) throw error;
    });
    return () => stop.abort();
  }, []);

  return isOwner;
}
