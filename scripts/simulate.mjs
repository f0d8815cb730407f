import { runTool } from "./setup/tool.mjs";

await runTool(["--import", "tsx", "simulation/main.ts", ...process.argv.slice(2)]);
