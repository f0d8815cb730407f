import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./checkout.mjs";
import { npmQuietly } from "./npm.mjs";
import { PlainError } from "./plain-error.mjs";
import { progress } from "./progress.mjs";

/**
 * @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, os?: string[], cpu?: string[] }} LockedPackage
 * @typedef {Record<string, LockedPackage>} LockedPackages by their place, such as "node_modules/vite"
 */

const FLAGS = [
  "--include=dev",
  "--include=optional",
  "--prefer-offline",
  "--no-progress",
  "--loglevel=error",
  // npm's own patience would keep a person without a network waiting for more than a minute.
  "--fetch-retry-mintimeout=2000",
  "--fetch-retry-maxtimeout=10000",
];

/** Installs what package-lock.json asks for. Throws a PlainError with npm's own words. */
export async function installPackages() {
  await progress("Installing the packages", async () => {
    const { ok, output } = await npmQuietly(["ci", ...FLAGS]);
    if (!ok) {
      throw new PlainError(`\nnpm could not install the packages. It says:\n\n${output.trim()}`);
    }
  });
}

/**
 * Whether node_modules holds what package-lock.json asks for. npm leaves a lock file of what it installed in there, as
 * the last thing that it does, so an installation that was broken off is not taken for a whole one.
 */
export async function isInstalled() {
  const [wanted, installed] = await Promise.all([
    readLockedPackages(join(root, "package-lock.json")),
    readLockedPackages(join(root, "node_modules/.package-lock.json")),
  ]);
  return wanted !== undefined && installed !== undefined && satisfies(installed, wanted, process);
}

/**
 * @param {string} path
 * @returns {Promise<LockedPackages | undefined>} undefined if there is no such file, or half of one
 */
async function readLockedPackages(path) {
  try {
    return JSON.parse(await readFile(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/**
 * @param {LockedPackages} installed
 * @param {LockedPackages} wanted
 * @param {{ platform: string, arch: string }} machine
 */
export function satisfies(installed, wanted, machine) {
  const packages = Object.values(installed);
  if (packages.some((locked) => !runsOn(locked.os, machine.platform) || !runsOn(locked.cpu, machine.arch))) {
    // node_modules came here from another kind of machine.
    return false;
  }
  return Object.entries(wanted).every(([place, locked]) => place === "" || isSame(installed[place], locked));
}

/**
 * @param {string[] | undefined} supported such as ["linux"] or ["!win32"]
 * @param {string} actual
 */
function runsOn(supported, actual) {
  const listed = supported?.filter((name) => !name.startsWith("!")) ?? [];
  return !supported?.includes(`!${actual}`) && (listed.length === 0 || listed.includes(actual));
}

/**
 * @param {LockedPackage | undefined} installed
 * @param {LockedPackage} wanted
 */
function isSame(installed, wanted) {
  if (installed === undefined) {
    // Packages for other platforms are optional, and stay away here.
    return wanted.optional === true;
  }
  return installed.version === wanted.version && (!wanted.integrity || installed.integrity === wanted.integrity);
}
