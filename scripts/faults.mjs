import { runCommand } from "./setup/entry.mjs";

runCommand(async () => {
  const { runTool } = await import("./setup/tool.mjs");
  const { faultsArguments, pageToWrite } = await import("./suites/faults.mjs");
  const args = process.argv.slice(2);
  await runTool(() => faultsArguments(args), {
    needsBrowser: true,
    needsRedis: true,
    needsNetworks: true,
    env: pageToWrite(args),
  });
});
