import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./child.mjs";
import { PlainError } from "./plain-error.mjs";

const OLDEST_REDIS_MAJOR = 7;
const CHECK_LIMIT_MS = 30_000;
const REDIS_NAMES = ["redis-server", "valkey-server"];
const BROWSER_NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const MACOS_BROWSERS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/**
 * @typedef {"browser" | "redis" | "ip"} Program `ip` makes and cuts networks, which only root on Linux may do
 * @typedef {object} Programs
 * @property {Record<string, string>} env for the programs that use them: CHROMIUM_PATH, REDIS_SERVER_PATH
 * @property {Map<Program, string>} missing what to say about each missing one
 */

/** @type {Record<Program, { variable?: string, packages: string[], find(problems: string[]): Promise<string | undefined> }>} */
const PROGRAMS = {
  browser: { variable: "CHROMIUM_PATH", packages: ["chromium", "fonts-liberation"], find: findBrowser },
  redis: { variable: "REDIS_SERVER_PATH", packages: ["redis-server"], find: findRedis },
  ip: { packages: ["iproute2"], find: async () => findOnPath(["ip"])[0] },
};

/** @type {Record<Program, string>} */
const DESCRIPTIONS = {
  browser: "Chromium or Chrome (or name one in CHROMIUM_PATH, or: npx playwright install --with-deps chromium)",
  redis: `a Redis server, ${OLDEST_REDIS_MAJOR}.0 or later, or Valkey (or name one in REDIS_SERVER_PATH)`,
  ip: "the ip command",
};

/**
 * Looks for programs that this system may have. Throws a PlainError if an environment variable names one that cannot be
 * used.
 * @param {readonly Program[]} names
 * @returns {Promise<Programs>}
 */
export async function findPrograms(names) {
  /** @type {Programs} */
  const programs = { env: {}, missing: new Map() };
  for (const name of names) {
    const { variable, find } = PROGRAMS[name];
    /** @type {string[]} */
    const problems = [];
    const path = await find(problems);
    if (path === undefined) {
      programs.missing.set(name, [DESCRIPTIONS[name], ...problems].join("\n    "));
    } else if (variable !== undefined) {
      programs.env[variable] = path;
    }
  }
  return programs;
}

/**
 * Looks for programs, and installs missing ones from Debian's packages if CI is set or this process is root.
 * @param {readonly Program[]} names
 * @returns {Promise<Programs>}
 */
export async function providePrograms(names) {
  const isRoot = process.getuid?.() === 0;
  const usable = names.filter((name) => name !== "ip" || (isRoot && process.platform === "linux"));
  const found = await findPrograms(usable);
  const mayInstall = isRoot || (process.env["CI"] && spawnSync("sudo", ["-n", "true"]).status === 0);
  if (found.missing.size === 0 || !mayInstall || !hasApt()) {
    return found;
  }
  const command = isRoot ? [] : ["sudo", "-n"];
  const aptGet = [
    ...command,
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-qq",
    "-o",
    "DPkg::Lock::Timeout=60",
  ];
  const [file = "", ...args] = aptGet;
  await run(file, [...args, "update"]);
  for (const name of found.missing.keys()) {
    const { packages } = PROGRAMS[name];
    console.log(`Installing ${packages.join(" and ")} …`);
    await run(file, [...args, "install", "--yes", "--no-install-recommends", ...packages]);
  }
  return findPrograms(usable);
}

/**
 * @param {Programs["missing"]} missing
 * @returns {string} what is missing and how to install it
 */
export function describeMissing(missing) {
  const programs = [...missing.values()].map((description) => `  - ${description}`);
  const packages = [...missing.keys()].map((name) => PROGRAMS[name].packages[0]);
  const command = hasApt() ? [`Install it with: sudo apt-get install -y ${packages.join(" ")}`] : [];
  return ["Missing on this system:", ...programs, ...command].join("\n");
}

/**
 * @param {Programs} programs
 * @param {string} [hint] another way, for the error message
 * @returns {Record<string, string>} the environment. Throws a PlainError if a program is missing
 */
export function requirePrograms({ env, missing }, hint = "") {
  if (missing.size > 0) {
    throw new PlainError(`${describeMissing(missing)}\n${hint}`.trim());
  }
  return env;
}

function hasApt() {
  return findOnPath(["apt-get"]).length > 0;
}

/**
 * @param {string[]} problems gets why a browser does not start
 * @returns {Promise<string | undefined>} the path of a Chromium that starts
 */
async function findBrowser(problems) {
  const { chromium } = await import("@playwright/test");
  const named = process.env["CHROMIUM_PATH"];
  const candidates = [...findOnPath(BROWSER_NAMES), ...MACOS_BROWSERS, chromium.executablePath()];
  // Only a start shows whether it works: libraries may be missing, and Ubuntu has a stub with this name.
  for (const executablePath of named ? [named] : candidates.filter((path) => existsSync(path))) {
    try {
      const chromiumSandbox = process.getuid?.() !== 0;
      const browser = await chromium.launch({ executablePath, chromiumSandbox, timeout: CHECK_LIMIT_MS });
      await browser.close();
      return executablePath;
    } catch (error) {
      const problem = firstLine(String(error));
      if (named) {
        throw new PlainError(`CHROMIUM_PATH is ${named}, which does not start as a browser: ${problem}`);
      }
      problems.push(`${executablePath}: ${problem}`);
    }
  }
  return undefined;
}

/**
 * @param {string[]} problems gets why a Redis server cannot be used
 * @returns {Promise<string | undefined>} the path of a Redis server or Valkey that is new enough
 */
async function findRedis(problems) {
  const named = process.env["REDIS_SERVER_PATH"];
  for (const path of named ? [named] : findOnPath(REDIS_NAMES)) {
    const problem = findRedisProblem(path);
    if (problem === undefined) {
      return path;
    }
    if (named) {
      throw new PlainError(`REDIS_SERVER_PATH is ${named}, which cannot be used as a Redis server: ${problem}`);
    }
    problems.push(`${path}: ${problem}`);
  }
  return undefined;
}

/** @param {string} path */
function findRedisProblem(path) {
  const { error, stdout, stderr } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: CHECK_LIMIT_MS });
  const version = firstLine(stdout || stderr || error?.message || "it does not print its version");
  const [, major] = /\bv=(\d+)\.\d+/.exec(version) ?? [];
  if (major === undefined) {
    return version;
  }
  return Number(major) < OLDEST_REDIS_MAJOR ? `it is older than ${OLDEST_REDIS_MAJOR}.0 (${version})` : undefined;
}

/** @param {readonly string[]} names */
function findOnPath(names) {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).filter((path) => existsSync(path));
}

/** @param {string} text */
function firstLine(text) {
  return text.trim().split("\n")[0] ?? "";
}
