/** `npm run simulate`: searches for schedules in which the platform breaks an invariant, or replays one. */
import { parseArgs } from "node:util";
import type { LogicFaults } from "./logic/logic-step.ts";
import { type LogicFailure, simulateLogic } from "./logic/simulate-logic.ts";

const DEFAULT_MINUTES = 1;
const MAX_SEED = 2 ** 31;
const SCHEDULES_PER_REPORT = 10_000;
/** The faults that the platform is expected to withstand today. */
const DEFAULT_FAULTS: LogicFaults = { redis: true, clockSteps: false, brokenCalls: false };

const USAGE =
  "npm run simulate -- [--seed N] [--minutes N] [--clock-steps] [--broken-calls]\n" +
  "--seed replays one schedule; --minutes searches with new seeds (1 unless given).";

interface Options {
  seed: number | undefined;
  minutes: number;
  faults: LogicFaults;
}

/** @throws {Error} with a message for the user, if an argument is wrong */
function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: "string" },
      minutes: { type: "string" },
      "clock-steps": { type: "boolean", default: false },
      "broken-calls": { type: "boolean", default: false },
    },
  });
  const seed = values.seed === undefined ? undefined : Number(values.seed);
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw new Error(`--seed must be an integer.\n${USAGE}`);
  const minutes = Number(values.minutes ?? DEFAULT_MINUTES);
  if (!(minutes > 0)) throw new Error(`--minutes must be a positive number.\n${USAGE}`);
  const faults = { ...DEFAULT_FAULTS, clockSteps: values["clock-steps"], brokenCalls: values["broken-calls"] };
  return { seed, minutes, faults };
}

function describe({ seed, message, steps, diagram }: LogicFailure): string {
  const list = steps.map((step) => `  ${JSON.stringify(step)}`).join("\n");
  return `Seed ${seed}: ${message}\n\nSteps:\n${list}\n\n${diagram}\n`;
}

/** @returns the first failure within the time */
function search(minutes: number, faults: LogicFaults): LogicFailure | undefined {
  const endMs = performance.now() + minutes * 60_000;
  const firstSeed = Math.floor(Math.random() * MAX_SEED);
  for (let count = 0; performance.now() < endMs; count += 1) {
    const failure = simulateLogic(firstSeed + count, faults);
    if (failure !== undefined) return failure;
    if ((count + 1) % SCHEDULES_PER_REPORT === 0) process.stdout.write(`${count + 1} schedules without a failure\n`);
  }
  return undefined;
}

try {
  const { seed, minutes, faults } = parseOptions(process.argv.slice(2));
  const failure = seed === undefined ? search(minutes, faults) : simulateLogic(seed, faults);
  process.stdout.write(failure === undefined ? "No failure found.\n" : describe(failure));
  process.exitCode = failure === undefined ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
