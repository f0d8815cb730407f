import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlainError } from "../setup/plain-error.mjs";
import { findRedis } from "../setup/redis.mjs";
import { Part } from "./part.mjs";
import { findFreePort } from "./ports.mjs";

const ANOTHER_WAY = "Or set REDIS_URL to a Redis that runs.";

/**
 * @typedef {object} DemoRedis
 * @property {string} url
 * @property {string} name how to speak of it
 * @property {string} monitorCommand shows every command that it is given
 * @property {Part | undefined} part undefined where somebody else runs it
 * @property {() => Promise<void>} close
 */

/**
 * Takes the Redis that REDIS_URL names, or starts one on loopback, with its data in a temporary folder.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<DemoRedis>}
 */
export async function openRedis(env) {
  const url = env["REDIS_URL"];
  if (url) {
    const monitorCommand = 'redis-cli -u "$REDIS_URL" monitor';
    return { url, name: "the Redis of REDIS_URL", monitorCommand, part: undefined, close: async () => {} };
  }
  const { REDIS_SERVER_PATH: path } = await findRedis({ mayInstall: false }).catch((error) => {
    throw error instanceof PlainError ? new PlainError(`${error.message}\n${ANOTHER_WAY}`) : error;
  });
  const folder = await mkdtemp(join(tmpdir(), "presence-demo-"));
  const port = await findFreePort();
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
  const part = new Part("Redis", path, settings);
  const close = async () => {
    await part.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await part.untilReady((words) => words.includes("Ready to accept connections"));
  } catch (error) {
    await close();
    throw error;
  }
  const monitorCommand = `redis-cli -p ${port} monitor`;
  return { url: `redis://127.0.0.1:${port}`, name: `Redis on port ${port}`, monitorCommand, part, close };
}
