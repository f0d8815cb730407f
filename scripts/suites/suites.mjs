import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { findBrowser } from "../setup/browser.mjs";
import { cache } from "../setup/checkout.mjs";
import { runShown } from "../setup/child.mjs";
import { provideNetworks } from "../setup/networks.mjs";
import { npmScriptShown } from "../setup/npm.mjs";
import { playwrightCli } from "../setup/playwright.mjs";
import { findRedis } from "../setup/redis.mjs";
import { UNKNOWN } from "../supply/advisories.mjs";
import { faultsArguments } from "./faults.mjs";
import { broken, tallyCheck, tallyPlaywright, tallyVitest } from "./tally.mjs";

/**
 * @typedef {import("./tally.mjs").Tally} Tally
 * @typedef {import("../setup/child.mjs").Result} Result
 *
 * @typedef {object} Suite
 * @property {string} name
 * @property {(timeoutMs: number) => Promise<Tally>} run shows what it does as it does it
 */

const REPORTS = join(cache, "reports");

/** @type {readonly Suite[]} */
export const SUITES = [
  { name: "lint", run: (timeoutMs) => check("lint", timeoutMs) },
  { name: "types", run: (timeoutMs) => check("types", timeoutMs) },
  { name: "dead code", run: (timeoutMs) => check("dead-code", timeoutMs) },
  { name: "advisories", run: (timeoutMs) => checkAdvisories(timeoutMs) },
  { name: "unit and integration", run: runVitest },
  { name: "end to end", run: runPlaywright },
  { name: "faults", run: runFaults },
];

/**
 * @param {string} script
 * @param {number} timeoutMs
 */
async function check(script, timeoutMs) {
  const { ok } = await npmScriptShown(script, [], { timeoutMs });
  return tallyCheck(ok);
}

/** @param {number} timeoutMs */
async function checkAdvisories(timeoutMs) {
  const { status } = await npmScriptShown("advisories", [], { timeoutMs });
  return status === UNKNOWN ? { passed: 0, failed: 0, skipped: 0, note: "not known" } : tallyCheck(status === 0);
}

/** @param {number} timeoutMs */
async function runVitest(timeoutMs) {
  const env = await findRedis({ mayInstall: true });
  const args = ["--reporter=default", "--reporter=json"];
  return tallyReport("vitest.json", tallyVitest, (report) =>
    npmScriptShown("unit", [...args, `--outputFile.json=${report}`], { env, timeoutMs }),
  );
}

/** @param {number} timeoutMs */
async function runPlaywright(timeoutMs) {
  const env = { ...(await findBrowser()), ...(await findRedis({ mayInstall: true })) };
  return tallyReport("playwright.json", tallyPlaywright, (report) =>
    runShown(process.execPath, [playwrightCli(), "test", "--config", "e2e", "--reporter=list,json"], {
      env: { ...env, PLAYWRIGHT_JSON_OUTPUT_FILE: report },
      timeoutMs,
    }),
  );
}

/** @param {number} timeoutMs */
async function runFaults(timeoutMs) {
  await provideNetworks();
  const env = { ...(await findBrowser()), ...(await findRedis({ mayInstall: true })) };
  return tallyReport("faults.json", tallyVitest, (report) =>
    runShown(process.execPath, faultsArguments([`--outputFile.json=${report}`]), { env, timeoutMs }),
  );
}

/**
 * @template Report
 * @param {string} name of the report's file
 * @param {(report: Report, ok: boolean) => Tally} tally
 * @param {(path: string) => Promise<Result>} run writes the report
 * @returns {Promise<Tally>}
 */
async function tallyReport(name, tally, run) {
  const path = join(REPORTS, name);
  await mkdir(REPORTS, { recursive: true });
  await rm(path, { force: true });
  const { ok, timedOut } = await run(path);
  if (timedOut) {
    return broken("took too long");
  }
  const report = await readFile(path, "utf8").then(JSON.parse, () => undefined);
  return report === undefined ? broken("crashed") : tally(report, ok);
}
