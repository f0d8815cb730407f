import { runCommand } from "./setup/entry.mjs";

runCommand(async () => {
  const { runTool } = await import("./setup/tool.mjs");
  await runTool(() => ["--import", "tsx", "images/main.ts", ...process.argv.slice(2)], { needsBrowser: true });
});
