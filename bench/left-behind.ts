type Stop = () => Promise<void>;

/** How to stop each process that a question has started and not stopped yet. */
const running = new Set<Stop>();

/**
 * Notes a process that has been started, in case its question fails before it stops it.
 *
 * @returns `stop`, to be called in its place
 */
export function noteStarted(stop: Stop): Stop {
  const stopNoted = async () => {
    if (running.delete(stopNoted)) await stop();
  };
  running.add(stopNoted);
  return stopNoted;
}

/** Stops all that a question has left behind. */
export async function stopLeftBehind(): Promise<void> {
  await Promise.allSettled([...running].map((stop) => stop()));
}
