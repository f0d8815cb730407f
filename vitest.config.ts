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
    testTimeout: 15_000,
    hookTimeout: 30_000,
    // Most tests wait for a lease or a process, so more of them fit than there are cores.
    maxWorkers: 3,
    projects: [
      project("protocol", "packages/protocol/src/**/*.test.ts"),
      project("testkit", "packages/testkit/src/**/*.test.ts", { testTimeout: 30_000 }),
      project("server", "apps/server/src/**/*.test.ts"),
      project("gears", "gears/{src,test}/**/*.test.ts", {
        globalSetup: ["gears/test/build-libraries.ts"],
        testTimeout: 30_000,
      }),
      project("web", "apps/web/src/**/*.test.{ts,tsx}"),
      project("tools", "{bench,faults,images}/**/*.test.ts"),
      project("simulation", "simulation/**/*.test.ts"),
      // These start many processes and builds. They run last, so that they do not slow down the timing-sensitive tests above.
      project("commands", "{scripts,deploy}/**/*.test.ts", {
        globalSetup: ["scripts/testing/prepare.ts"],
        sequence: { groupOrder: 1 },
        testTimeout: 120_000,
      }),
    ],
  },
});
