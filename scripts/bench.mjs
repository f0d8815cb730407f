import { runTool } from "./setup/tool.mjs";

const BROWSER_BENCHMARK = "web-app";

const args = process.argv.slice(2);
const named = args.filter((arg) => /^[a-z]/.test(arg));
await runTool(["--import", "tsx", "bench/main.ts", ...args], {
  needs: ["redis"],
  wants: named.length === 0 || named.includes(BROWSER_BENCHMARK) ? ["browser"] : [],
});
