import { prepare } from "../setup/prepare.mjs";
import { closeWhenStopped, importBuilt, inPlainWords, quietly } from "../setup/program.mjs";
import { stopWhenTold } from "../setup/stop.mjs";

/**
 * @typedef {{ redis: string, close(): Promise<void> }} RunningHost
 * @typedef {object} Program what the trigger host's bundle exports; all reject with one line that says what to do
 * @property {(options: { env: NodeJS.ProcessEnv }) => Promise<RunningHost>} main
 * @property {(options: { env: NodeJS.ProcessEnv }) => Promise<string>} check
 * @property {(options: { env: NodeJS.ProcessEnv }) => Promise<string>} load
 */

const PROGRAM = "gears/dist/host.js";

/**
 * Prepares the checkout and hosts triggers until it is told to stop, or, with `--check`, says whether somebody does.
 * Throws a PlainError.
 * @param {{ argv: readonly string[], env: NodeJS.ProcessEnv }} options
 */
export async function hostTriggers({ argv, env }) {
  stopWhenTold();
  await prepare();
  /** @type {Program} */
  const { main, check } = await importBuilt(PROGRAM);
  if (argv.includes("--check")) {
    console.log(await inPlainWords(() => check({ env })));
    return;
  }
  const host = await inPlainWords(() => main({ env: quietly(env) }));
  closeWhenStopped(host);
  console.log(`\nHosting the presence platform's triggers beside Redis at ${host.redis}\n\nCtrl-C stops it.`);
}

/**
 * Prepares the checkout and loads the RedisGears library. Throws a PlainError.
 * @param {{ env: NodeJS.ProcessEnv }} options
 */
export async function loadLibrary({ env }) {
  stopWhenTold();
  await prepare();
  /** @type {Program} */
  const { load } = await importBuilt(PROGRAM);
  console.log(await inPlainWords(() => load({ env })));
}
