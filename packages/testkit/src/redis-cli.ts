import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

const NAMES = ["redis-cli", "valkey-cli"];

/**
 * Runs a command with `redis-cli` or `valkey-cli`.
 *
 * @returns its output without the line break at the end
 * @throws if Redis answers with an error
 */
export async function runRedisCli(port: number, command: readonly string[]): Promise<string> {
  const file = NAMES.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (file === undefined) throw new Error(`None of these is installed: ${NAMES.join(", ")}.`);
  const { stdout } = await promisify(execFile)(file, ["-e", "-h", "127.0.0.1", "-p", String(port), ...command]);
  return stdout.trimEnd();
}
