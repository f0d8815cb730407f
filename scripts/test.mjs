// npm test: sets up everything and runs every suite. The last line that it prints is the sum over all suites.
import { join } from "node:path";
import { npm } from "./setup/child.mjs";
import { PlainError } from "./setup/plain-error.mjs";
import { prepare } from "./setup/prepare.mjs";
import { describeMissing, providePrograms } from "./setup/programs.mjs";
import { handleSignals } from "./setup/signals.mjs";
import { REPORTS, runSuites } from "./suites/run-suites.mjs";
import { tallyPlaywright, tallyVitest } from "./suites/tally.mjs";

/** The suites take about 15 minutes on two quiet cores. On a slow machine, they should still report all results. */
const LIMIT_MS = 45 * 60_000;
const VITEST_REPORT = join(REPORTS, "vitest.json");
const FAULTS_REPORT = join(REPORTS, "faults.json");
const PLAYWRIGHT_REPORT = join(REPORTS, "playwright.json");

/** The suites run one at a time: many of their tests are timing-sensitive. */
const VITEST = ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json"];
const PLAYWRIGHT = ["node_modules/@playwright/test/cli.js", "test", "--config", "e2e", "--reporter=list,json"];
const FAULTS = ["node_modules/vitest/vitest.mjs", "run", "--config", "faults/vitest.config.ts"];
/** @type {readonly import("./suites/run-suites.mjs").Suite[]} */
const SUITES = [
  { name: "lint", command: npm("run", "--silent", "lint") },
  { name: "types", command: npm("run", "--silent", "types") },
  { name: "dead code", command: npm("run", "--silent", "dead-code") },
  { name: "advisories", command: npm("run", "--silent", "advisories"), unknownStatus: 2 },
  {
    name: "unit and integration",
    command: [process.execPath, [...VITEST, `--outputFile.json=${VITEST_REPORT}`]],
    needs: ["redis"],
    report: { path: VITEST_REPORT, tally: tallyVitest },
  },
  {
    name: "end to end",
    command: [process.execPath, PLAYWRIGHT],
    needs: ["browser", "redis"],
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: PLAYWRIGHT_REPORT },
    report: { path: PLAYWRIGHT_REPORT, tally: tallyPlaywright },
  },
  {
    name: "faults",
    command: [process.execPath, [...FAULTS, `--outputFile.json=${FAULTS_REPORT}`]],
    needs: ["browser", "redis"],
    report: { path: FAULTS_REPORT, tally: tallyVitest },
  },
];

handleSignals();
try {
  await prepare();
  const programs = await providePrograms(["browser", "redis", "ip"]);
  if (programs.missing.size > 0) {
    console.log(describeMissing(programs.missing));
  }
  process.exitCode = (await runSuites(SUITES, programs, LIMIT_MS)) ? 0 : 1;
} catch (error) {
  // Printed to stdout: the sum must be the last line.
  console.log(error instanceof PlainError ? error.message : error);
  console.log("\n0 passed, 1 failed");
  process.exitCode = 1;
}
