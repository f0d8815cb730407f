import { findBrowser } from "./browser.mjs";
import { runInForeground } from "./child.mjs";
import { provideNetworks } from "./networks.mjs";
import { PlainError } from "./plain-error.mjs";
import { prepare } from "./prepare.mjs";
import { findRedis } from "./redis.mjs";
import { stopWhenTold } from "./stop.mjs";

/**
 * Prepares the checkout, then hands the terminal over to a tool that Node runs; its exit status becomes ours.
 * @param {() => readonly string[]} nodeArguments asked for when the packages are there
 * @param {{ needsBrowser?: boolean, wantsBrowser?: boolean, needsRedis?: boolean, needsNetworks?: boolean, env?: Record<string, string> }} [options] what is only wanted is told of where it can't be had; `env` is added to ours
 */
export async function runTool(
  nodeArguments,
  { needsBrowser = false, wantsBrowser = false, needsRedis = false, needsNetworks = false, env: more = {} } = {},
) {
  stopWhenTold();
  await prepare();
  if (needsNetworks) {
    await provideNetworks();
  }
  const env = {
    ...more,
    ...(needsBrowser && (await findBrowser())),
    ...(wantsBrowser && (await findBrowser().catch(tell))),
    ...(needsRedis && (await findRedis({ mayInstall: true }))),
  };
  const { status } = await runInForeground(process.execPath, nodeArguments(), { env });
  process.exitCode = status;
}

/** @param {unknown} error */
function tell(error) {
  if (!(error instanceof PlainError)) {
    throw error;
  }
  console.log(error.message);
  return {};
}
