import { runCommand } from "./setup/entry.mjs";

runCommand(async () => {
  const { runTool } = await import("./setup/tool.mjs");
  await runTool(() => ["--import", "tsx", "bench/main.ts", ...process.argv.slice(2)], { needsRedis: true });
});
