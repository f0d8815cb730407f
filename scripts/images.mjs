import { runTool } from "./setup/tool.mjs";

await runTool(["--import", "tsx", "images/main.ts", ...process.argv.slice(2)], { needs: ["browser"] });
