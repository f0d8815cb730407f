import { findBrowser } from "./browser.mjs";
import { runInForeground } from "./child.mjs";
import { provideNetworks } from "./networks.mjs";
import { prepare } from "./prepare.mjs";
import { findRedis } from "./redis.mjs";
import { stopWhenTold } from "./stop.mjs";

/**
 * Prepares the checkout, then hands the terminal over to a tool that Node runs; its exit status becomes ours.
 * @param {() => readonly string[]} nodeArguments asked for when the packages are there
 * @param {{ needsBrowser?: boolean, needsRedis?: boolean, needsNetworks?: boolean, env?: Record<string, string> }} [options] `env` is added to ours
 */
export async function runTool(
  nodeArguments,
  { needsBrowser = false, needsRedis = false, needsNetworks = false, env: more = {} } = {},
) {
  stopWhenTold();
  await prepare();
  if (needsNetworks) {
    await provideNetworks();
  }
  const env = {
    ...more,
    ...(needsBrowser && (await findBrowser())),
    ...(needsRedis && (await findRedis({ mayInstall: true }))),
  };
  const { status } = await runInForeground(process.execPath, nodeArguments(), { env });
  process.exitCode = status;
}
