/**
 * Detects the end of a page or worker with Web Locks. The browser releases a lock when its holder is closed, crashes or is
 * killed, and grants it to the page or worker that waits for it. No event reports that a shared worker has ended.
 */

/**
 * Holds a lock with a random name until `signal` is aborted.
 *
 * @returns the lock's name once it is held; `undefined` if locks aren't supported or `signal` was aborted before
 */
export async function holdLock(prefix: string, signal?: AbortSignal): Promise<string | undefined> {
  if (navigator.locks === undefined || signal?.aborted === true) return undefined;
  const name = `${prefix}.${Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-")}`;
  return new Promise((settle) => {
    const hold = () => {
      settle(name);
      // Aborting `signal` withdraws a waiting request, but doesn't release a lock that is held.
      return new Promise<void>((release) => {
        if (signal?.aborted === true) release();
        else signal?.addEventListener("abort", () => release(), { once: true });
      });
    };
    navigator.locks.request(name, signal === undefined ? {} : { signal }, hold).catch(() => settle(undefined));
  });
}

/** Calls `onReleased` when the holder of the lock `name` no longer exists, unless `signal` is aborted before. */
export function watchLock(name: string, signal: AbortSignal, onReleased: () => void): void {
  if (signal.aborted) return;
  navigator.locks
    .request(name, { signal }, () => {
      if (!signal.aborted) onReleased();
    })
    .catch(() => {
      // `signal` was aborted, so the holder no longer matters.
    });
}
