// npm run soak: runs the soak fault for ten minutes instead of one.
import { runTool } from "./setup/tool.mjs";

const TEN_MINUTES_MS = 600_000;
await runTool(["node_modules/vitest/vitest.mjs", "run", "--config", "faults/vitest.config.ts", "soak"], {
  needs: ["redis"],
  env: { SOAK_MS: String(TEN_MINUTES_MS) },
});
