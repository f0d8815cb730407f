/**
 * @typedef {object} Tally what came of a suite
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string} [note] why it failed, if no test says so; or how many passed at the second try only
 *
 * @typedef {{ status: string, failureMessages: string[] }} VitestTest
 * @typedef {{ status: string, assertionResults: VitestTest[] }} VitestFile
 * @typedef {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: VitestFile[] }} VitestReport
 *
 * @typedef {{ expected: number, unexpected: number, flaky: number, skipped: number }} PlaywrightStats
 * @typedef {{ stats: PlaywrightStats, errors: unknown[] }} PlaywrightReport
 */

/**
 * @param {string} note
 * @returns {Tally} of a suite that came to nothing
 */
export function broken(note) {
  return { passed: 0, failed: 1, skipped: 0, note };
}

/**
 * @param {boolean} ok
 * @returns {Tally} of a suite that is one test
 */
export function tallyCheck(ok) {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

/**
 * @param {VitestReport} report as Vitest's JSON reporter writes it
 * @param {boolean} ok whether Vitest itself was content
 * @returns {Tally}
 */
export function tallyVitest(report, ok) {
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((assertion) => assertion.status === "failed"),
  );
  const triedAgain = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status, failureMessages }) => status === "passed" && failureMessages.length > 0);
  return settle(ok, {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
    ...(triedAgain.length > 0 && { note: `${triedAgain.length} at the second try` }),
  });
}

/**
 * @param {PlaywrightReport} report as Playwright's JSON reporter writes it
 * @param {boolean} ok whether Playwright itself was content
 * @returns {Tally}
 */
export function tallyPlaywright({ stats, errors }, ok) {
  // One file that can't be loaded is told several times.
  const problems = errors.length > 0 ? 1 : 0;
  return settle(ok, {
    passed: stats.expected,
    failed: stats.unexpected + stats.flaky + problems,
    skipped: stats.skipped,
  });
}

/**
 * A suite that ran nothing, or that failed for a reason that no test tells, must not look like one that passed.
 * @param {boolean} ok
 * @param {Tally} tally
 * @returns {Tally}
 */
function settle(ok, tally) {
  if (tally.failed > 0) {
    return tally;
  }
  if (!ok) {
    return { ...tally, failed: 1, note: "failed outside of its tests" };
  }
  return tally.passed > 0 ? tally : { ...tally, failed: 1, note: "ran no test" };
}

/**
 * @param {readonly Tally[]} tallies
 * @returns {Tally}
 */
export function sum(tallies) {
  const add = (/** @type {"passed" | "failed" | "skipped"} */ key) =>
    tallies.reduce((total, tally) => total + tally[key], 0);
  return { passed: add("passed"), failed: add("failed"), skipped: add("skipped") };
}

/**
 * @param {Tally} tally
 * @returns {string} such as "12 passed, 0 failed"; skipped tests are named only if there are any
 */
export function describeTally({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
