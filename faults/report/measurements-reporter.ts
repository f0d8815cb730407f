import { readFile, writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";
import type { Reporter, TestModule } from "vitest/node";
import { formatMeasurements, replaceMeasurements } from "./table.ts";

/** Prints the measurements of all faults at the end of a run, and writes them into a page if one is given. */
export class MeasurementsReporter implements Reporter {
  readonly #page: string | undefined;

  /** @param page path of a Markdown file */
  constructor(page: string | undefined) {
    this.#page = page;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const measurements = tests.flatMap((test) => test.meta().measurement ?? []);
    if (measurements.length === 0) return;
    const table = formatMeasurements(measurements);
    console.log(`\n${table}\n`);
    if (this.#page === undefined) return;
    if (tests.some((test) => !test.ok())) throw new Error("Tests failed: the measurements are not written.");
    const page = await readFile(this.#page, "utf8");
    await writeFile(this.#page, replaceMeasurements(page, `${describeMachine()}\n\n${table}`));
  }
}

/** What the measurements depend on, in one sentence. */
function describeMachine(): string {
  const date = new Date().toISOString().slice(0, 10);
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? "unknown processor";
  return `Measured on ${date}: ${processors.length} cores (${model}), Linux ${release()}, Node ${process.versions.node}.`;
}
