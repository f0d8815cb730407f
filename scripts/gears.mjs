// npm run gears: hosts the triggers beside Redis until it is told to stop. With --check it reports whether a trigger host
// runs; with --load (npm run gears:load) it loads the RedisGears library.
import { prepare } from "./setup/prepare.mjs";
import { callProgram, closeOnStop, importBuilt, quietEnvironment } from "./setup/program.mjs";
import { handleSignals } from "./setup/signals.mjs";

/**
 * @typedef {(options: { env: NodeJS.ProcessEnv }) => Promise<string>} Report
 * @typedef {(options: { env: NodeJS.ProcessEnv }) => Promise<{ redis: string, close(): Promise<void> }>} Main
 */

handleSignals();
await prepare();
/** @type {{ main: Main, check: Report, load: Report }} */
const { main, check, load } = await importBuilt("gears/dist/host.js");
const report = { "--check": check, "--load": load }[process.argv[2] ?? ""];
if (report === undefined) {
  const host = await callProgram(() => main({ env: quietEnvironment() }));
  closeOnStop(() => host.close());
  console.log(`\nHosting the triggers of the presence platform beside Redis at ${host.redis}\n\nCtrl-C stops it.`);
} else {
  console.log(await callProgram(() => report({ env: process.env })));
}
