import fc from "fast-check";
import { type LogicFaults, type LogicStep, logicSchedule } from "./logic-step.ts";
import { LogicWorld } from "./logic-world.ts";

/** A schedule in which the platform broke an invariant, as short as it could be made. */
export interface LogicFailure {
  /** Replays it. */
  seed: number;
  steps: readonly LogicStep[];
  message: string;
  /** A Mermaid sequence diagram. */
  diagram: string;
}

/** Runs the schedule that a seed stands for; a failure is shrunk. */
export function simulateLogic(seed: number, faults: LogicFaults): LogicFailure | undefined {
  const outcome = fc.check(
    fc.property(logicSchedule(faults), (steps) => {
      runSchedule(steps);
    }),
    { seed, numRuns: 1 },
  );
  if (!outcome.failed) return undefined;
  const steps = outcome.counterexample?.[0] ?? [];
  return { seed, ...replay(steps) };
}

/** @throws {Violation} */
export function runSchedule(steps: readonly LogicStep[], world = new LogicWorld()): void {
  for (const step of steps) world.take(step);
  world.finish();
}

function replay(steps: readonly LogicStep[]): Omit<LogicFailure, "seed"> {
  const world = new LogicWorld();
  let message = "no violation in the replay";
  try {
    runSchedule(steps, world);
  } catch (error) {
    message = error instanceof Error ? error.message : String(error);
  }
  return { steps, message, diagram: world.trace.toString() };
}
