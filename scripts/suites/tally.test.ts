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

/** Runs a test runner on these files, and returns the printed row without its duration. */
async function run(runner: "vitest" | "playwright", files: Record<string, string>): Promise<string> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const path = join(folder, "report.json");
  const modules = join(root, "node_modules");
  const suite =
    runner === "vitest"
      ? {
          args: [`${modules}/vitest/vitest.mjs`, "run", "--root", folder, "--reporter=json", `--outputFile=${path}`],
          tally: tallyVitest,
        }
      : {
          args: [`${modules}/@playwright/test/cli.js`, "test", "-c", folder, "--reporter=json"],
          tally: tallyPlaywright,
        };
  const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: path };
  const command: [string, string[]] = [process.execPath, suite.args];
  await runSuites(
    [{ name: runner, command, env, report: { path, tally: suite.tally } }],
    { env: {}, missing: new Map() },
    60_000,
  );
  return /\d+ s {3}(.*)/.exec(String(vi.mocked(console.log).mock.lastCall?.[0]))?.[1] ?? "";
}

describe("a run of Vitest", () => {
  const config = { "vitest.config.mjs": 'export default { test: { include: ["*.test.mjs"] } };' };
  const test = (code: string) => `import { expect, it } from "vitest"; ${code}`;

  it.each([
    [
      "tests that passed, failed and were skipped",
      {
        "a.test.mjs": test(
          'it("a", () => {}); it("b", () => expect(1).toBe(2)); it.skip("c", () => {}); it.todo("d");',
        ),
      },
      "1 passed, 1 failed, 2 skipped",
    ],
    [
      "a file that cannot be loaded",
      { "good.test.mjs": test('it("a", () => {});'), "bad.test.mjs": 'import "./missing.mjs";' },
      "1 passed, 1 failed",
    ],
    [
      "an unhandled rejection",
      {
        "a.test.mjs": test(
          'it("a", async () => { void Promise.reject(new Error("no")); await new Promise((r) => setTimeout(r, 50)); });',
        ),
      },
      "1 passed, 1 failed (failed outside of its tests)",
    ],
    ["no test as a failure", {}, "0 passed, 1 failed (failed outside of its tests)"],
    [
      "only skipped tests as a failure",
      { "a.test.mjs": test('it.skip("a", () => {});') },
      "0 passed, 1 failed, 1 skipped (ran no test)",
    ],
  ])("counts %s", async (_, files, row) => {
    expect(await run("vitest", { ...config, ...files })).toBe(row);
  });
});

describe("a run of Playwright", () => {
  const config = (more = "") => ({ "playwright.config.mjs": `export default { testMatch: "*.pw.mjs", ${more} };` });
  const test = (code: string) => `import { expect, test } from "@playwright/test"; ${code}`;

  it.each([
    [
      "tests that passed, failed and were skipped",
      {
        ...config(),
        "a.pw.mjs": test('test("a", () => {}); test("b", () => expect(1).toBe(2)); test.skip("c", () => {});'),
      },
      "1 passed, 1 failed, 1 skipped",
    ],
    [
      "a test that passes only in the second try as failed",
      { ...config("retries: 1"), "a.pw.mjs": test('test("a", ({}, { retry }) => expect(retry).toBe(1));') },
      "0 passed, 1 failed",
    ],
    ["a file that cannot be loaded", { ...config(), "a.pw.mjs": 'import "./missing.mjs";' }, "0 passed, 1 failed"],
    ["no test as a failure", config(), "0 passed, 1 failed"],
  ])("counts %s", async (_, files, row) => {
    expect(await run("playwright", files)).toBe(row);
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
