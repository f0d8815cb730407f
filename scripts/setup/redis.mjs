import { access, mkdir, rm, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { attempt } from "./attempt.mjs";
import { cache } from "./checkout.mjs";
import { runQuietly } from "./child.mjs";
import { debianInstaller } from "./debian.mjs";
import { PlainError } from "./plain-error.mjs";

/** The first with Redis Functions. */
const OLDEST_MAJOR = 7;
const VERSION_LIMIT_MS = 10_000;
const NAMES_ON_PATH = ["redis-server", "valkey-server"];

/**
 * Debian has the whole server in its package of tools, as one file with several names. Its package `redis-server` adds no
 * more than the name by which it serves, and a system service that starts at once and with every boot.
 */
const DEBIANS_PACKAGE = "redis-tools";
const DEBIANS_FILE = "/usr/bin/redis-check-rdb";
/** Where we give it that name. */
const OUR_FOLDER = join(cache, "bin");

const NO_REDIS =
  `There is no Redis server here, ${OLDEST_MAJOR}.0 or later, nor a Valkey. Install one (on Debian: sudo apt-get install ` +
  "redis-server; on macOS: brew install redis), or name one in REDIS_SERVER_PATH.";

/**
 * Finds a Redis server that starts: the one that REDIS_SERVER_PATH names, else the one on the PATH, else one that we
 * installed. Throws a PlainError.
 * @param {object} options
 * @param {boolean} options.mayInstall whether to install Debian's, where there is none and we may
 * @param {string} [options.ourFolder] where one that we installed is
 * @returns {Promise<{ REDIS_SERVER_PATH: string }>} for the environment of what starts it
 */
export async function findRedis({ mayInstall, ourFolder = OUR_FOLDER }) {
  const named = process.env["REDIS_SERVER_PATH"];
  if (named) {
    const problem = await startProblem(named);
    if (problem !== undefined) {
      throw new PlainError(`REDIS_SERVER_PATH is ${named}, which can't be used as a Redis server: ${problem}`);
    }
    return { REDIS_SERVER_PATH: named };
  }
  /** @type {string[]} */
  const problems = [];
  const path =
    (await findInstalled(ourFolder, problems)) ?? (mayInstall ? await installDebians(ourFolder, problems) : undefined);
  if (path === undefined) {
    throw new PlainError([NO_REDIS, ...problems].join("\n"));
  }
  return { REDIS_SERVER_PATH: path };
}

/**
 * @param {string} ourFolder
 * @param {string[]} problems gets what is wrong with those that can't be used
 * @returns {Promise<string | undefined>}
 */
async function findInstalled(ourFolder, problems) {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  const onPath = NAMES_ON_PATH.flatMap((name) => folders.map((folder) => join(folder, name)));
  for (const path of [...onPath, ourNameIn(ourFolder)]) {
    if (await isThere(path)) {
      const problem = await startProblem(path);
      if (problem === undefined) {
        return path;
      }
      problems.push(`${path}: ${problem}`);
    }
  }
  return undefined;
}

/**
 * @param {string} ourFolder
 * @param {string[]} problems gets what went wrong
 * @returns {Promise<string | undefined>} the path of Debian's server, freshly installed
 */
async function installDebians(ourFolder, problems) {
  const install = await debianInstaller({ orKin: true });
  if (install === undefined) {
    return undefined;
  }
  await attempt("Installing Debian's Redis", problems, () => install([DEBIANS_PACKAGE]));
  await mkdir(ourFolder, { recursive: true });
  await rm(ourNameIn(ourFolder), { force: true });
  await symlink(DEBIANS_FILE, ourNameIn(ourFolder));
  return findInstalled(ourFolder, problems);
}

/** @param {string} folder */
function ourNameIn(folder) {
  return join(folder, "redis-server");
}

/**
 * @param {string} path
 * @returns {Promise<string | undefined>} why it is of no use
 */
async function startProblem(path) {
  const { output } = await runQuietly(path, ["--version"], { timeoutMs: VERSION_LIMIT_MS });
  const [firstLine = ""] = output.trim().split("\n");
  const version = /\bv=(\d+)\.\d+/.exec(firstLine);
  if (version === null) {
    return firstLine || "it does not tell its version";
  }
  const isOld = Number(version[1]) < OLDEST_MAJOR;
  return isOld ? `it is older than ${OLDEST_MAJOR}.0 (${firstLine})` : undefined;
}

/** @param {string} path */
async function isThere(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}
