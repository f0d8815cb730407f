import type { TestContext } from "vitest";

/** One row of the table: what a fault's test has found. */
export interface Figure {
  /** What is broken. */
  fault: string;
  /** What must hold. */
  holds: string;
  /** What was measured, with units. */
  measured: string;
}

declare module "vitest" {
  interface TaskMeta {
    figure?: Figure;
  }
}

/** Puts a row into the table that the run prints at its end. Called once by the test of a fault, when all has held. */
export function report({ task }: Pick<TestContext, "task">, figure: Figure): void {
  task.meta.figure = figure;
}
