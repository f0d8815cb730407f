import { isInstalled } from "../setup/install.mjs";
import { prepare } from "../setup/prepare.mjs";
import { stopWhenTold } from "../setup/stop.mjs";
import { SUITES } from "./suites.mjs";
import { broken, describeTally, sum } from "./tally.mjs";

/** For all suites together: one that is not done by then counts as failed. They take 15 minutes on two quiet cores. */
const LIMIT_MS = 28 * 60_000;

/** @typedef {{ name: string, tally: import("./tally.mjs").Tally, durationMs: number }} Row */

/**
 * Prepares the checkout and runs every suite, also after one has failed. The last line that it prints is the sum.
 * @returns {Promise<boolean>} whether everything passed
 */
export async function test() {
  stopWhenTold();
  const deadline = performance.now() + LIMIT_MS;
  const rows = await preparationProblem();
  for (const suite of (await isInstalled()) ? SUITES : []) {
    console.log(`\n── ${suite.name} ──`);
    rows.push(await measure(suite.name, () => suite.run(Math.max(1, deadline - performance.now()))));
  }
  const total = sum(rows.map(({ tally }) => tally));
  console.log(`\n${rows.map(describeRow).join("\n")}\n\n${describeTally(total)}`);
  return total.failed === 0;
}

/** @returns {Promise<Row[]>} a row if the checkout could not be prepared; most suites can tell something all the same */
async function preparationProblem() {
  const row = await measure("preparation", async () => {
    await prepare();
    return { passed: 0, failed: 0, skipped: 0 };
  });
  return row.tally.failed > 0 ? [row] : [];
}

/**
 * @param {string} name
 * @param {() => Promise<import("./tally.mjs").Tally>} run
 * @returns {Promise<Row>}
 */
async function measure(name, run) {
  const startedAt = performance.now();
  const tally = await run().catch((error) => {
    // To the same stream as the sum, which has to stay last.
    console.log(error.message);
    return broken("could not run");
  });
  return { name, tally, durationMs: performance.now() - startedAt };
}

/** @param {Row} row */
function describeRow({ name, tally, durationMs }) {
  const duration = `${(durationMs / 1_000).toFixed(0)} s`.padStart(6);
  const note = tally.note === undefined ? "" : ` (${tally.note})`;
  return `  ${name.padEnd(22)}${duration}   ${describeTally(tally)}${note}`;
}
