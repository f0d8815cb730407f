import { parentPort } from "node:worker_threads";

/** How often it looks whether it was let run. */
const LOOK_MS = 5;

/** A thread with nothing to do but to be on time: how late it is, the machine made it. */
let worstMs = 0;
let dueMs = performance.now() + LOOK_MS;

setInterval(() => {
  worstMs = Math.max(worstMs, performance.now() - dueMs);
  dueMs = performance.now() + LOOK_MS;
}, LOOK_MS);

parentPort?.on("message", () => parentPort?.postMessage(worstMs));
