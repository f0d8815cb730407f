import { runCommand } from "./setup/entry.mjs";

runCommand(async () => {
  const { start } = await import("./start/start.mjs");
  await start({ argv: process.argv.slice(2), env: process.env });
});
