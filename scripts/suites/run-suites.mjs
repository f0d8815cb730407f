import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { cache } from "../setup/checkout.mjs";
import { run } from "../setup/child.mjs";
import { formatSum } from "./tally.mjs";

/**
 * @typedef {import("./tally.mjs").Tally} Tally
 * @typedef {import("../setup/programs.mjs").Program} Program
 *
 * @typedef {object} Suite
 * @property {string} name
 * @property {[file: string, args: readonly string[]]} command
 * @property {readonly Program[]} [needs] without one of these it fails
 * @property {Record<string, string>} [env]
 * @property {{ path: string, tally(report: any): Tally }} [report] without a report, the suite counts as one test
 * @property {number} [unknownStatus] the exit status if there is no result, which counts as nothing
 *
 * @typedef {{ name: string, tally: Tally, note: string, durationMs: number }} Row
 */

export const REPORTS = join(cache, "reports");

/**
 * Runs the suites one after the other, also after a failure, and prints a table with the sum as its last line.
 * @param {readonly Suite[]} suites
 * @param {import("../setup/programs.mjs").Programs} programs
 * @param {number} limitMs for all suites together; a suite that is not done by then fails
 * @returns {Promise<boolean>} whether all passed
 */
export async function runSuites(suites, programs, limitMs) {
  const deadline = performance.now() + limitMs;
  /** @type {Row[]} */
  const rows = [];
  for (const suite of suites) {
    console.log(`\n── ${suite.name} ──`);
    const startedAt = performance.now();
    const result = await runSuite(suite, programs, Math.max(1, deadline - startedAt)).catch((error) =>
      broken(String(error)),
    );
    rows.push({ name: suite.name, durationMs: performance.now() - startedAt, ...result });
  }
  const tallies = rows.map(({ tally }) => tally);
  console.log(`\n${rows.map(formatRow).join("\n")}\n\n${formatSum(tallies)}`);
  return tallies.every(({ failed }) => failed === 0);
}

/**
 * @param {Suite} suite
 * @param {import("../setup/programs.mjs").Programs} programs
 * @param {number} timeoutMs
 * @returns {Promise<{ tally: Tally, note: string }>}
 */
async function runSuite({ command, needs = [], env, report, unknownStatus }, programs, timeoutMs) {
  const missing = needs.filter((need) => programs.missing.has(need));
  if (missing.length > 0) {
    return broken(`could not run without ${missing.join(" and ")}`);
  }
  if (report !== undefined) {
    await mkdir(REPORTS, { recursive: true });
    await rm(report.path, { force: true });
  }
  const { status, timedOut } = await run(...command, { env: { ...env, ...programs.env }, timeoutMs });
  if (timedOut) {
    return broken("took too long");
  }
  if (status === unknownStatus) {
    return { tally: { passed: 0, failed: 0, skipped: 0 }, note: "no result" };
  }
  if (report === undefined) {
    return { tally: { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 }, note: "" };
  }
  const written = await readFile(report.path, "utf8").then(JSON.parse, () => undefined);
  return written === undefined ? broken("crashed") : judge(report.tally(written), status);
}

/**
 * A suite that ran no test, or that failed for a reason outside of its tests, must not pass.
 * @param {Tally} tally
 * @param {number} status
 */
function judge(tally, status) {
  if (tally.failed === 0 && status !== 0) {
    return { tally: { ...tally, failed: 1 }, note: "failed outside of its tests" };
  }
  if (tally.failed === 0 && tally.passed === 0) {
    return { tally: { ...tally, failed: 1 }, note: "ran no test" };
  }
  return { tally, note: "" };
}

/** @param {string} note */
function broken(note) {
  return { tally: { passed: 0, failed: 1, skipped: 0 }, note };
}

/** @param {Row} row */
function formatRow({ name, tally, note, durationMs }) {
  const duration = `${(durationMs / 1_000).toFixed(0)} s`.padStart(6);
  return `  ${name.padEnd(22)}${duration}   ${formatSum([tally])}${note && ` (${note})`}`;
}
