// npm run faults -- [file name] [--write] [options of Vitest]
// With --write, the measurements are written into docs/faults.md.
import { runTool } from "./setup/tool.mjs";

const VITEST = ["node_modules/vitest/vitest.mjs", "run", "--config", "faults/vitest.config.ts"];
const args = process.argv.slice(2);
await runTool([...VITEST, ...args.filter((arg) => arg !== "--write")], {
  needs: ["browser", "redis"],
  wants: ["ip"],
  env: args.includes("--write") ? { FAULTS_PAGE: "docs/faults.md" } : {},
});
