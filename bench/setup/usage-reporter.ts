import { monitorEventLoopDelay } from "node:perf_hooks";

/** Loaded into each server under test: reports to the parent process what the server uses. */

export type UsageRequest = "processor" | "memory" | "watch-loop" | "loop-delay";

/** Processor time of all threads so far, ms. */
export interface ProcessorUsage {
  cpuMs: number;
}

/** How late timers were since `watch-loop`. */
export interface LoopDelay {
  p99Ms: number;
  worstMs: number;
}

/** After garbage collections. */
export interface MemoryUsage {
  /** JavaScript objects and the buffers they own. */
  heapBytes: number;
  /** What the operating system has given to the process. */
  residentBytes: number;
}

const RESOLUTION_MS = 10;
const NANOSECONDS_PER_MS = 1e6;
const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

process.on("message", (request: UsageRequest) => {
  process.send?.(answer(request));
});
process.on("disconnect", () => process.exit());

function answer(request: UsageRequest): ProcessorUsage | MemoryUsage | LoopDelay {
  switch (request) {
    case "processor":
      return processorUsage();
    case "memory":
      return memoryUsage();
    case "watch-loop":
      loop.enable();
      loop.reset();
      return { p99Ms: 0, worstMs: 0 };
    case "loop-delay":
      return { p99Ms: lateness(loop.percentile(99)), worstMs: lateness(loop.max) };
  }
}

/** The monitor measures the time between two ticks, which should be `RESOLUTION_MS`. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS_PER_MS - RESOLUTION_MS);
}

function processorUsage(): ProcessorUsage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000 };
}

function memoryUsage(): MemoryUsage {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, residentBytes: rss };
}
