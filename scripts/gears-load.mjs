import { runCommand } from "./setup/entry.mjs";

runCommand(async () => {
  const { loadLibrary } = await import("./gears/host-triggers.mjs");
  await loadLibrary({ env: process.env });
});
