import { prepare } from "../setup/prepare.mjs";
import { closeWhenStopped, importBuilt, inPlainWords, quietly } from "../setup/program.mjs";
import { stopWhenTold } from "../setup/stop.mjs";
import { describeRedis, isDemo, welcome } from "./welcome.mjs";

/**
 * @typedef {{ url: string, close(): Promise<void> }} RunningServer
 * @typedef {(options: { argv: string[], env: NodeJS.ProcessEnv }) => Promise<RunningServer>} Main
 *   what the server's bundle exports; it rejects with one line that says what to do
 */

/**
 * Prepares the checkout and serves until it is told to stop. Throws a PlainError.
 * @param {{ argv: string[], env: NodeJS.ProcessEnv }} options `argv` is the server's own
 */
export async function start({ argv, env }) {
  stopWhenTold();
  await prepare();
  /** @type {{ main: Main }} */
  const { main } = await importBuilt("apps/server/dist/main.js");
  const server = await inPlainWords(() => main({ argv, env: quietly(env) }));
  closeWhenStopped(server);
  console.log(welcome(server.url, { isDemo: isDemo(env), redis: describeRedis(env) }));
}
