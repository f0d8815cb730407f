import { runCommand } from "./setup/entry.mjs";

runCommand(async () => {
  const { runTool } = await import("./setup/tool.mjs");
  const { playwrightCli } = await import("./setup/playwright.mjs");
  await runTool(() => [playwrightCli(), "test", "--config", "e2e", ...process.argv.slice(2)], {
    needsBrowser: true,
    needsRedis: true,
  });
});
