/** Loaded into each server under test: answers, to the process that started it, what it uses. */

export type UsageRequest = "processor" | "memory";

export interface ProcessorUsage {
  /** Time of all threads so far, ms. */
  cpuMs: number;
}

/** After a garbage collection: what is held, not what is left lying about. */
export interface MemoryUsage {
  /** JavaScript objects and the buffers they own. */
  heapBytes: number;
  /** What the system has given the process. */
  residentBytes: number;
}

process.on("message", (request: UsageRequest) => {
  process.send?.(request === "processor" ? processorUsage() : memoryUsage());
});
process.on("disconnect", () => process.exit());

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
