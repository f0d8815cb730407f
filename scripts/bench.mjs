import { runCommand } from "./setup/entry.mjs";

const BROWSER_QUESTION = "web-app";

runCommand(async () => {
  const { runTool } = await import("./setup/tool.mjs");
  const args = process.argv.slice(2);
  const named = args.filter((arg) => /^[a-z]/.test(arg));
  await runTool(() => ["--import", "tsx", "bench/main.ts", ...args], {
    needsRedis: true,
    wantsBrowser: named.length === 0 || named.includes(BROWSER_QUESTION),
  });
});
