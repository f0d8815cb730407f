import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

const isCi = Boolean(process.env["CI"]);

/** The tests of one folder. */
function project(name: string, include: string, more: TestProjectInlineConfiguration["test"] = {}) {
  return { extends: true as const, test: { name, include: [include], ...more } };
}

export default defineConfig({
  test: {
    environment: "node",
    allowOnly: !isCi,
    // Many keep time on a machine that others use too: a second try, told of in the sum, tells a slow one from a fault.
    retry: isCi ? 1 : 0,
    testTimeout: 15_000,
    hookTimeout: 30_000,
    // Most tests wait for a lease or a process: more of them at once than there are cores.
    maxWorkers: 3,
    projects: [
      project("protocol", "packages/protocol/src/**/*.test.ts"),
      project("server", "apps/server/src/**/*.test.ts"),
      project("gears", "gears/{src,test}/**/*.test.ts", {
        globalSetup: ["gears/test/build-libraries.ts"],
        testTimeout: 30_000,
      }),
      project("web", "apps/web/src/**/*.test.{ts,tsx}"),
      project("tools", "{bench,faults,images}/**/*.test.ts"),
      // They start processes and keep the machine busy: the tests above have to keep time.
      project("commands", "{scripts,deploy}/**/*.test.ts", { sequence: { groupOrder: 1 }, testTimeout: 60_000 }),
    ],
  },
});
