/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Tally
 *
 * @typedef {{ status: string, assertionResults: { status: string }[] }} VitestFile
 * @typedef {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: VitestFile[] }} VitestReport
 * @typedef {{ stats: { expected: number, unexpected: number, flaky: number, skipped: number }, errors: unknown[] }} PlaywrightReport
 */

/**
 * @param {VitestReport} report of Vitest's JSON reporter
 * @returns {Tally} a file that cannot be loaded counts as one failed test
 */
export function tallyVitest({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  const failed = numFailedTests + brokenFiles.length;
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

/**
 * @param {PlaywrightReport} report of Playwright's JSON reporter
 * @returns {Tally} a test that passes only when it is retried counts as failed
 */
export function tallyPlaywright({ stats, errors }) {
  // Playwright reports one file that cannot be loaded several times.
  const brokenFiles = errors.length > 0 ? 1 : 0;
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky + brokenFiles, skipped: stats.skipped };
}

/**
 * @param {readonly Tally[]} tallies
 * @returns {string} the sum, such as "12 passed, 0 failed, 3 skipped"
 */
export function formatSum(tallies) {
  const sum = (/** @type {keyof Tally} */ key) => tallies.reduce((total, tally) => total + tally[key], 0);
  const skipped = sum("skipped");
  return `${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
