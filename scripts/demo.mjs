import { runCommand } from "./setup/entry.mjs";

runCommand(async () => {
  const { demo } = await import("./demo/demo.mjs");
  await demo({ argv: process.argv.slice(2), env: process.env });
});
