import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { cache, root } from "../setup/checkout.mjs";
import { runSuites } from "./run-suites.mjs";
import { formatSum, tallyPlaywright, tallyVitest } from "./tally.mjs";

let folder: string;

beforeEach(async () => {
  // Inside the checkout, so that the tests find Vitest and Playwright.
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, "tally-"));
  vi.spyOn(console, "log").mockImplementation(() => {});
  return () => rm(folder, { recursive: true });
});

/** Runs a suite with a report, and returns the printed row without its duration. */
async function run(args: readonly string[], tally: (report: never) => ReturnType<typeof tallyVitest>): Promise<string> {
  const path = join(folder, "report.json");
  const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: path };
  const suite = { name: "suite", command: [process.execPath, args] as [string, readonly string[]], env };
  await runSuites([{ ...suite, report: { path, tally } }], { env: {}, missing: new Map() }, 60_000);
  return /\d+ s {3}(.*)/.exec(String(vi.mocked(console.log).mock.lastCall?.[0]))?.[1] ?? "";
}

/** Runs a suite that writes this report and exits with this status. */
function replay(report: unknown, status: number, tally: (report: never) => ReturnType<typeof tallyVitest>) {
  const code = `require("node:fs").writeFileSync(process.env.PLAYWRIGHT_JSON_OUTPUT_FILE, process.argv[1]); process.exit(${status})`;
  return run(["-e", code, JSON.stringify(report)], tally);
}

describe("a report of Vitest", () => {
  const file = (status: string, ...tests: string[]) => ({
    status,
    assertionResults: tests.map((test) => ({ status: test })),
  });
  const counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };

  it.each([
    [
      "a file that cannot be loaded",
      { ...counts, numPassedTests: 1, testResults: [file("passed", "passed"), file("failed")] },
      1,
      "1 passed, 1 failed",
    ],
    [
      "an unhandled rejection",
      { ...counts, numPassedTests: 1, testResults: [file("passed", "passed")] },
      1,
      "1 passed, 1 failed (failed outside of its tests)",
    ],
    ["no test as a failure", { ...counts, testResults: [] }, 1, "0 passed, 1 failed (failed outside of its tests)"],
    [
      "only skipped tests as a failure",
      { ...counts, numPendingTests: 1, testResults: [file("passed", "skipped")] },
      0,
      "0 passed, 1 failed, 1 skipped (ran no test)",
    ],
  ])("counts %s", async (_, report, status, row) => {
    expect(await replay(report, status, tallyVitest)).toBe(row);
  });

  it("has the expected form in a real run", async () => {
    await writeFile(join(folder, "vitest.config.mjs"), 'export default { test: { include: ["*.test.mjs"] } };');
    await writeFile(
      join(folder, "a.test.mjs"),
      'import { expect, it } from "vitest"; it("a", () => {}); it("b", () => expect(1).toBe(2)); it.skip("c", () => {}); it.todo("d");',
    );
    await writeFile(join(folder, "broken.test.mjs"), 'import "./missing.mjs";');
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const output = `--outputFile=${join(folder, "report.json")}`;
    const row = await run([vitest, "run", "--root", folder, "--reporter=json", output], tallyVitest);
    expect(row).toBe("1 passed, 2 failed, 2 skipped");
  });
});

describe("a report of Playwright", () => {
  const stats = { expected: 0, unexpected: 0, flaky: 0, skipped: 0 };

  it.each([
    ["a test that passes only in the second try as failed", { stats: { ...stats, flaky: 1 }, errors: [] }, 0],
    ["no test as a failure", { stats, errors: [{ message: "Error: No tests found" }] }, 1],
  ])("counts %s", async (_, report, status) => {
    expect(await replay(report, status, tallyPlaywright)).toMatch(/^0 passed, 1 failed/);
  });

  it("counts a file that cannot be loaded once, in spite of several errors", () => {
    const errors = [{ message: "Error: Cannot find module" }, { message: "Error: Cannot find module" }];
    expect(tallyPlaywright({ stats, errors })).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("has the expected form in a real run", async () => {
    await writeFile(join(folder, "playwright.config.mjs"), 'export default { testMatch: "*.pw.mjs", retries: 1 };');
    await writeFile(
      join(folder, "a.pw.mjs"),
      'import { expect, test } from "@playwright/test"; test("a", () => {}); test("b", () => expect(1).toBe(2)); test("c", ({}, { retry }) => expect(retry).toBe(1)); test.skip("d", () => {});',
    );
    const playwright = join(root, "node_modules/@playwright/test/cli.js");
    const row = await run([playwright, "test", "-c", folder, "--reporter=json"], tallyPlaywright);
    expect(row).toBe("1 passed, 2 failed, 1 skipped");
  });
});

it.each([
  [[{ passed: 12, failed: 0, skipped: 0 }], "12 passed, 0 failed"],
  [[], "0 passed, 0 failed"],
  [
    [
      { passed: 10, failed: 1, skipped: 4 },
      { passed: 2, failed: 2, skipped: 0 },
    ],
    "12 passed, 3 failed, 4 skipped",
  ],
])("formats the sum of %j", (tallies, line) => {
  expect(formatSum(tallies)).toBe(line);
});
