import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./checkout.mjs";

/**
 * A hash of the names and contents of files. It changes when one is changed, added, removed or renamed.
 * @param {readonly string[]} paths files and folders, relative to the checkout; one that is missing counts as such
 * @param {(name: string) => boolean} [isIgnored] whether a file or folder of this name inside a folder doesn't count
 * @returns {Promise<string>} hexadecimal
 */
export async function fingerprint(paths, isIgnored = () => false) {
  const hash = createHash("sha256");
  for (const path of paths) {
    await addPath(hash, path, isIgnored);
  }
  return hash.digest("hex");
}

/**
 * @param {import("node:crypto").Hash} hash
 * @param {string} path
 * @param {(name: string) => boolean} isIgnored
 * @returns {Promise<void>}
 */
async function addPath(hash, path, isIgnored) {
  const content = await readPath(join(root, path));
  if (!Array.isArray(content)) {
    hash.update(`${path}\0${content?.length ?? "missing"}\0`).update(content ?? "");
    return;
  }
  for (const name of content.sort()) {
    if (!isIgnored(name)) {
      await addPath(hash, `${path}/${name}`, isIgnored);
    }
  }
}

/**
 * @param {string} path
 * @returns {Promise<Buffer | string[] | undefined>} a file's bytes, the names in a folder, or undefined if it is missing
 */
async function readPath(path) {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === "EISDIR") {
      return readdir(path);
    }
    if (code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}
