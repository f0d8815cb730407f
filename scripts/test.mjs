import { runCommand } from "./setup/entry.mjs";

runCommand(async () => {
  const { test } = await import("./suites/test.mjs");
  const everythingPassed = await test();
  process.exitCode = everythingPassed ? 0 : 1;
});
