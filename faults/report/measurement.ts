import type { TestContext } from "vitest";

/** One row of the table: the result of a fault's test. */
export interface Measurement {
  fault: string;
  /** The required behaviour. */
  expected: string;
  /** What was measured, with units. */
  measured: string;
}

declare module "vitest" {
  interface TaskMeta {
    measurement?: Measurement;
  }
}

/** Adds a row to the table that the run prints at its end. A test calls it once, after its last check. */
export function report({ task }: Pick<TestContext, "task">, measurement: Measurement): void {
  task.meta.measurement = measurement;
}

/** Formats ms as seconds, for example `1.5 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Formats a count, for example `10,000`. */
export function count(value: number): string {
  return value.toLocaleString("en");
}
