import { expect, it, vi } from "vitest";
import { runSuites, type Suite } from "./run-suites.mjs";

const log = vi.spyOn(console, "log").mockImplementation(() => {});
const TALLY = { passed: 3, failed: 0, skipped: 0 };

function node(name: string, code: string, more: Partial<Suite> = {}): Suite {
  return { name, command: [process.execPath, ["-e", code]], ...more };
}

it("runs every suite after a failure, and prints the sum as its last line", async () => {
  const report = { path: "/no/such/report", tally: () => TALLY };
  const suites = [
    node("passes", ""),
    node("fails", "process.exit(2)"),
    node("has no result", "process.exit(2)", { unknownStatus: 2 }),
    node("crashes", "", { report }),
    node("lacks a browser", "", { needs: ["redis", "browser"] }),
    node("gets the programs", 'process.exit(process.env.REDIS_SERVER_PATH === "/redis" ? 0 : 1)', { needs: ["redis"] }),
  ];
  const programs = { env: { REDIS_SERVER_PATH: "/redis" }, missing: new Map([["browser", ""] as const]) };
  expect(await runSuites(suites, programs, 60_000)).toBe(false);
  const table = String(log.mock.lastCall?.[0]);
  expect(table).toMatch(/^ {2}passes .*1 passed, 0 failed$/m);
  expect(table).toMatch(/^ {2}fails .*0 passed, 1 failed$/m);
  expect(table).toMatch(/^ {2}has no result .*0 passed, 0 failed \(no result\)$/m);
  expect(table).toMatch(/^ {2}crashes .*0 passed, 1 failed \(crashed\)$/m);
  expect(table).toMatch(/^ {2}lacks a browser .*0 passed, 1 failed \(could not run without browser\)$/m);
  expect(table).toMatch(/^ {2}gets the programs .*1 passed, 0 failed$/m);
  expect(table).toMatch(/\n2 passed, 3 failed$/);
});

it("stops a suite that takes too long, and counts it as failed", async () => {
  const suites = [node("hangs", "setInterval(() => {}, 1_000)")];
  expect(await runSuites(suites, { env: {}, missing: new Map() }, 1_000)).toBe(false);
  expect(String(log.mock.lastCall?.[0])).toMatch(/hangs .*0 passed, 1 failed \(took too long\)$/m);
});
