import { availableParallelism, cpus, loadavg, release, type } from "node:os";

/** What figures depend on. */
export interface Machine {
  cores: number;
  processor: string;
  /** `Linux 6.12.1` */
  kernel: string;
  /** Load average of the last minute. */
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

/** Files that a process has open beside its connections. */
const SPARE_FILES = 100;

/** @throws an error that says what to do, if one process cannot hold that many connections */
export function requireOpenFiles(connections: number): void {
  if (canOpen(connections)) return;
  const needed = connections + SPARE_FILES;
  throw new Error(
    `needs ${needed} open files; the limit is ${openFilesLimit()}. Raise it (ulimit -n ${needed}) and try again.`,
  );
}

/** Whether a process can have that many connections open. */
export function canOpen(connections: number): boolean {
  return openFilesLimit() >= connections + SPARE_FILES;
}

/** The limit of this process and of each server it starts. Node raises it to the hard limit itself. */
function openFilesLimit(): number {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  const soft = report.userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Number.POSITIVE_INFINITY;
}
