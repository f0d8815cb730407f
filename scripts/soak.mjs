import { runCommand } from "./setup/entry.mjs";

const TEN_MINUTES_MS = 600_000;

runCommand(async () => {
  const { runTool } = await import("./setup/tool.mjs");
  const { faultsArguments } = await import("./suites/faults.mjs");
  await runTool(() => faultsArguments(["soak"]), { needsRedis: true, env: { SOAK_MS: String(TEN_MINUTES_MS) } });
});
