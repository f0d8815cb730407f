import { run } from "./child.mjs";
import { prepare } from "./prepare.mjs";
import { describeMissing, providePrograms, requirePrograms } from "./programs.mjs";
import { handleSignals } from "./signals.mjs";

/**
 * Prepares the checkout and runs a tool with Node in this terminal. Its exit status becomes that of this process.
 * @param {readonly string[]} nodeArguments
 * @param {object} [options]
 * @param {readonly import("./programs.mjs").Program[]} [options.needs] programs without which it cannot run
 * @param {readonly import("./programs.mjs").Program[]} [options.wants] programs without which it runs in part
 * @param {Record<string, string>} [options.env]
 */
export async function runTool(nodeArguments, { needs = [], wants = [], env = {} } = {}) {
  handleSignals();
  await prepare();
  const needed = requirePrograms(await providePrograms(needs));
  const wanted = await providePrograms(wants);
  if (wanted.missing.size > 0) {
    console.log(describeMissing(wanted.missing));
  }
  const { status } = await run(process.execPath, nodeArguments, { env: { ...env, ...needed, ...wanted.env } });
  process.exitCode = status;
}
