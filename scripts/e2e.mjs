// npm run e2e -- [file name] [options of Playwright]
import { runTool } from "./setup/tool.mjs";

const PLAYWRIGHT = ["node_modules/@playwright/test/cli.js", "test", "--config", "e2e"];
await runTool([...PLAYWRIGHT, ...process.argv.slice(2)], { needs: ["browser", "redis"] });
