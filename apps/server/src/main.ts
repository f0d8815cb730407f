import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Environment, parseConfig } from "./config.ts";
import { type RunningServer, startServer } from "./server.ts";

const WEB_APP_FOLDER = fileURLToPath(new URL("../../web/dist", import.meta.url));
/** How long a shutdown waits for clients to close their streams. */
const SHUTDOWN_MS = 1_500;

interface MainOptions {
  /** The arguments after the program's name. */
  argv: readonly string[];
  env: Environment;
}

/**
 * Starts one realtime server. Resolves when it listens.
 *
 * @throws an error with a one-line message that says what to do, if a setting is invalid or the port is not available
 */
export function main({ argv, env }: MainOptions): Promise<RunningServer> {
  return startServer(parseConfig(env, argv), { webAppFolder: WEB_APP_FOLDER });
}

async function runUntilSignalled(): Promise<void> {
  const starting = main({ argv: process.argv.slice(2), env: process.env });
  let isStopping = false;
  const stop = async (drain: (server: RunningServer) => Promise<void>) => {
    if (isStopping) process.exit(130);
    isStopping = true;
    const server = await starting;
    await drain(server);
    setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
    await server.close();
    process.exit(0);
  };
  // Handle signals before the server listens: a supervisor may stop it as soon as it does.
  // On Ctrl-C the server stops without draining, so that the terminal is free soon.
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
