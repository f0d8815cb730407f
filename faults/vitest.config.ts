import { fileURLToPath } from "node:url";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { MeasurementsReporter } from "./report/measurements-reporter.ts";

const isCi = Boolean(process.env["CI"]);
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The faults of one folder. */
function project(name: string, order: number, maxWorkers: number): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: { name, include: [`faults/${name}/*.fault.ts`], maxWorkers, sequence: { groupOrder: order } },
  };
}

export default defineConfig({
  root: ROOT,
  test: {
    environment: "node",
    allowOnly: !isCi,
    testTimeout: 150_000,
    hookTimeout: 60_000,
    reporters: ["default", "json", new MeasurementsReporter(process.env["FAULTS_PAGE"])],
    outputFile: { json: ".cache/reports/faults.json" },
    // Light faults mostly wait, so several run at once. Heavy ones need the machine for themselves.
    projects: [project("light", 0, 4), project("heavy", 1, 1)],
  },
});
