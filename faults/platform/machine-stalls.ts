import { once } from "node:events";
import { Worker } from "node:worker_threads";

/**
 * Begins to measure for how long this machine doesn't let run who wants to: nobody is on time by more than that.
 *
 * @returns a function that ends it, and tells the longest so far, in ms
 */
export function measureStalls(): () => Promise<number> {
  const worker = new Worker(new URL("./machine-stalls-worker.mjs", import.meta.url));
  return async () => {
    worker.postMessage("tell");
    const [worstMs] = (await once(worker, "message")) as [number];
    await worker.terminate();
    return worstMs;
  };
}
