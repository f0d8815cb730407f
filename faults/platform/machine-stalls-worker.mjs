import { parentPort } from "node:worker_threads";

const INTERVAL_MS = 5;

/** This thread does nothing else, so a late timer shows that the machine did not run it. */
let longestMs = 0;
let dueMs = performance.now() + INTERVAL_MS;

setInterval(() => {
  longestMs = Math.max(longestMs, performance.now() - dueMs);
  dueMs = performance.now() + INTERVAL_MS;
}, INTERVAL_MS);

parentPort?.on("message", () => parentPort?.postMessage(longestMs));
