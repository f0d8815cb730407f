import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./checkout.mjs";
import { npm, run } from "./child.mjs";
import { PlainError } from "./plain-error.mjs";

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[] }} LockedPackage
 * @typedef {Record<string, LockedPackage>} LockedPackages by path, such as "node_modules/vite"
 */

// Without a network, npm's default retries take more than a minute.
const FLAGS =
  "--include=dev --include=optional --prefer-offline --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=10000";

/** Installs what package-lock.json lists. Throws a PlainError. */
export async function installPackages() {
  console.log("Installing the packages …");
  const { status } = await run(...npm("ci", "--loglevel=error", ...FLAGS.split(" ")));
  if (status !== 0) {
    throw new PlainError("npm could not install the packages. Its messages are above.");
  }
}

/** Whether node_modules holds what package-lock.json lists. npm writes its own lock file there as its last step. */
export async function isInstalled() {
  const [wanted, installed] = await Promise.all([
    readLockedPackages(join(root, "package-lock.json")),
    readLockedPackages(join(root, "node_modules/.package-lock.json")),
  ]);
  return wanted !== undefined && installed !== undefined && satisfies(installed, wanted, process);
}

/**
 * @param {string} path
 * @returns {Promise<LockedPackages | undefined>} undefined if the file is missing or incomplete
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
export function satisfies(installed, wanted, { platform, arch }) {
  // node_modules may have been copied from another kind of machine.
  const isForThisMachine = Object.values(installed).every(({ os, cpu }) => allows(os, platform) && allows(cpu, arch));
  return (
    isForThisMachine &&
    Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
      const found = installed[path];
      // Optional packages for other platforms are not installed.
      return found === undefined
        ? path === "" || optional === true
        : found.version === version && (integrity === undefined || found.integrity === integrity);
    })
  );
}

/**
 * @param {string[] | undefined} names such as ["linux"] or ["!win32"]
 * @param {string} name
 */
function allows(names, name) {
  return names === undefined || names.includes(name) || (names[0]?.startsWith("!") && !names.includes(`!${name}`));
}
