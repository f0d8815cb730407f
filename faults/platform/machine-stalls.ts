import { once } from "node:events";
import { Worker } from "node:worker_threads";

/**
 * Starts to measure how late this machine runs an idle thread. Time limits add the result, so that they do not depend on
 * the load of the machine.
 *
 * @returns a function that stops, and resolves with the longest delay in ms
 */
export function measureStalls(): () => Promise<number> {
  const worker = new Worker(new URL("./machine-stalls-worker.mjs", import.meta.url));
  return async () => {
    worker.postMessage("report");
    const [longestMs] = (await once(worker, "message")) as [number];
    await worker.terminate();
    return longestMs;
  };
}
