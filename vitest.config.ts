import { defineConfig } from "vitest/config";

/** The tests of one folder; those of a later group run when the earlier ones are done. */
function project(name: string, include: string, group = 0) {
  return {
    extends: true as const,
    test: { name, include: [include], sequence: { groupOrder: group } },
  };
}

export default defineConfig({
  test: {
    environment: "node",
    allowOnly: !process.env["CI"],
    testTimeout: 15_000,
    hookTimeout: 30_000,
    projects: [
      project("protocol", "packages/protocol/src/**/*.test.ts"),
      project("server", "apps/server/src/**/*.test.ts"),
      project("web", "apps/web/src/**/*.test.{ts,tsx}"),
      project("tools", "{bench,images}/**/*.test.ts"),
      // They start processes and keep the machine busy: the tests above have to keep time.
      project("commands", "scripts/**/*.test.ts", 1),
    ],
  },
});
