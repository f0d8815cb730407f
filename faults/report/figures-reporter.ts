import { readFile, writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";
import type { Reporter, TestModule } from "vitest/node";
import type { Figure } from "./figure.ts";
import { formatFigures, replaceFigures } from "./table.ts";

/** Prints the figures of all faults when the run is over, and puts them into a page where the run was told to. */
export class FiguresReporter implements Reporter {
  readonly #page: string | undefined;

  /** @param page the file to write them into, if any */
  constructor(page: string | undefined) {
    this.#page = page;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const figures: Figure[] = tests.flatMap((test) => test.meta().figure ?? []);
    if (figures.length === 0) return;
    const table = formatFigures(figures);
    console.log(`\n${table}\n`);
    if (this.#page === undefined) return;
    if (tests.some((test) => !test.ok()))
      throw new Error("Not all faults were survived: their figures are not written.");
    const written = replaceFigures(await readFile(this.#page, "utf8"), `${describeRun()}\n\n${table}`);
    await writeFile(this.#page, written);
  }
}

/** What the figures depend on, in one sentence. */
function describeRun(): string {
  const date = new Date().toISOString().slice(0, 10);
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? "unknown processor";
  return `Measured on ${date}: ${processors.length} cores (${model}), Linux ${release()}, Node ${process.versions.node}.`;
}
