// npm start: prepares the checkout and runs one realtime server until it is told to stop.
import { prepare } from "./setup/prepare.mjs";
import { callProgram, closeOnStop, importBuilt, quietEnvironment } from "./setup/program.mjs";
import { handleSignals } from "./setup/signals.mjs";
import { describeRedis, isDemo, welcome } from "./setup/welcome.mjs";

/**
 * @typedef {{ url: string, close(): Promise<void> }} RunningServer
 * @typedef {(options: { argv: string[], env: NodeJS.ProcessEnv }) => Promise<RunningServer>} Main
 */

handleSignals();
await prepare();
/** @type {{ main: Main }} */
const { main } = await importBuilt("apps/server/dist/main.js");
const server = await callProgram(() => main({ argv: process.argv.slice(2), env: quietEnvironment() }));
closeOnStop(() => server.close());
console.log(welcome(server.url, { isDemo: isDemo(process.env), redis: describeRedis(process.env) }));
