import { monitorEventLoopDelay } from "node:perf_hooks";

/** Loaded into each server under test: reports to the parent process what the server uses. */

const RESOLUTION_MS = 10;
const NANOSECONDS_PER_MS = 1e6;
const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

const answers = {
  /** Processor time of all threads so far, ms. */
  processor() {
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1000 };
  },
  /** After garbage collections: JavaScript objects with the buffers they own, and what the operating system has given. */
  memory() {
    globalThis.gc?.();
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    return { heapBytes: heapUsed + external, residentBytes: rss };
  },
  watchLoop() {
    loop.enable();
    loop.reset();
    return {};
  },
  /** How late timers were since `watchLoop`. */
  loopDelay: () => ({ p99Ms: lateness(loop.percentile(99)), worstMs: lateness(loop.max) }),
};

export type UsageAnswers = typeof answers;

process.on("message", (request: keyof UsageAnswers) => {
  process.send?.(answers[request]());
});
process.on("disconnect", () => process.exit());

/** The monitor measures the time between two ticks, which should be `RESOLUTION_MS`. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS_PER_MS - RESOLUTION_MS);
}
