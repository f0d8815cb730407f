import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Environment, parseConfig } from "./config.ts";
import { type RunningServer, startServer } from "./server.ts";

const WEB_APP_FOLDER = fileURLToPath(new URL("../../web/dist", import.meta.url));
/** Streams are told to end; whoever has not heard after this long is not waited for. */
const SHUTDOWN_MS = 1_500;

export interface MainOptions {
  /** Arguments after the program's name. */
  argv: readonly string[];
  env: Environment;
}

/**
 * Starts one realtime server, and resolves when it listens.
 *
 * @throws an error whose message is one line that says what to do, where a setting is wrong or the port can't be had
 */
export function main({ argv, env }: MainOptions): Promise<RunningServer> {
  return startServer(parseConfig(env, argv), { webAppFolder: WEB_APP_FOLDER });
}

async function runUntilSignalled(): Promise<void> {
  const starting = main({ argv: process.argv.slice(2), env: process.env });
  let isStopping = false;
  const stop = async (emptied: (server: RunningServer) => Promise<void>) => {
    if (isStopping) process.exit(130);
    isStopping = true;
    const server = await starting;
    await emptied(server);
    setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
    await server.close();
    process.exit(0);
  };
  // Heard from the start: whoever reads that it listens may tell it to stop at once.
  // Who sits at a terminal wants it back.
  process.on("SIGINT", () => void stop(() => Promise.resolve()));
  process.on("SIGTERM", () => void stop((server) => server.drain()));
  await starting;
}

function isEntryPoint(): boolean {
  const [, entry] = process.argv;
  return entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url);
}

if (isEntryPoint()) {
  runUntilSignalled().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
