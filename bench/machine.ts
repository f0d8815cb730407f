import { availableParallelism, cpus, loadavg, release, type } from "node:os";

/** What figures depend on. */
export interface Machine {
  cores: number;
  processor: string;
  /** `Linux 6.12.1` */
  kernel: string;
  /** Average of the last minute. */
  load: number;
}

export function readMachine(): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    kernel: `${type()} ${/^[\d.]+/.exec(release())?.[0] ?? release()}`,
    load: loadavg()[0] ?? 0,
  };
}

/** Others' work on the cores makes noise of the figures. */
export function isBusy(): boolean {
  const [load = 0] = loadavg();
  return load > availableParallelism() / 2;
}

/** How many files this process, and so each server it starts, may have open; Node raises it to the hard limit itself. */
function openFilesLimit(): number {
  const report: unknown = process.report.getReport();
  const limits = isRecord(report) && isRecord(report["userLimits"]) ? report["userLimits"] : {};
  const openFiles = limits["open_files"];
  const soft = isRecord(openFiles) ? openFiles["soft"] : undefined;
  return typeof soft === "number" ? soft : Number.POSITIVE_INFINITY;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Files that a process has open beside its connections. */
const SPARE_FILES = 100;

/** @throws an error that says what to do, where one process can't hold that many connections */
export function requireOpenFiles(connections: number): void {
  if (mayOpen(connections)) return;
  const needed = connections + SPARE_FILES;
  throw new Error(
    `needs ${needed} open files and may have ${openFilesLimit()}: raise the limit (ulimit -n ${needed}) and repeat.`,
  );
}

/** Whether a process may have so many connections open. */
export function mayOpen(connections: number): boolean {
  return openFilesLimit() >= connections + SPARE_FILES;
}
