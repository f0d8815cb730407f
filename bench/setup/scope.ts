type Stop = () => unknown;

/** How to stop each process and connection of the current scope, in the order in which they were started. */
let running: Stop[] = [];

/**
 * Has `stop` called when the scope ends.
 *
 * @returns a function that calls it earlier
 */
export function onScopeEnd(stop: Stop): () => Promise<void> {
  const scope = running;
  scope.push(stop);
  return async () => {
    const index = scope.indexOf(stop);
    if (index === -1) return;
    scope.splice(index, 1);
    await stop();
  };
}

/** Runs `work`, then stops what it started, the last first, even if it fails. Scopes do not run at the same time. */
export async function inScope<T>(work: () => Promise<T>): Promise<T> {
  const outer = running;
  const scope: Stop[] = [];
  running = scope;
  try {
    return await work();
  } finally {
    for (let stop = scope.pop(); stop; stop = scope.pop()) await Promise.resolve(stop()).catch(() => {});
    running = outer;
  }
}
