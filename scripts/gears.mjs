import { runCommand } from "./setup/entry.mjs";

runCommand(async () => {
  const { hostTriggers } = await import("./gears/host-triggers.mjs");
  await hostTriggers({ argv: process.argv.slice(2), env: process.env });
});
