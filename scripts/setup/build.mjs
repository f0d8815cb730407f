import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cache, root } from "./checkout.mjs";
import { npm, run } from "./child.mjs";
import { PlainError } from "./plain-error.mjs";

/** Workspaces with a build script, and their sources outside of their own folder. */
const WORKSPACES = new Map([
  ["gears", ["packages/protocol/src"]],
  ["apps/server", ["packages/protocol/src", "gears/src"]],
  ["apps/web", ["packages/protocol/src"]],
]);
const SHARED_SOURCES = ["package-lock.json", "tsconfig.base.json"];
const NOT_A_SOURCE = /^(dist|node_modules|\.cache|test)$|\.test\.\w+$/;

/** @returns the workspaces whose `dist` does not come from the present sources */
export function findStaleWorkspaces() {
  return [...WORKSPACES.keys()].filter((workspace) => {
    const stamp = existsSync(stampPath(workspace)) && readFileSync(stampPath(workspace), "utf8");
    return stamp !== makeStamp(workspace, hashSources(workspace));
  });
}

/**
 * Throws a PlainError if a build fails.
 * @param {readonly string[]} workspaces
 */
export async function buildWorkspaces(workspaces) {
  console.log(`Building ${new Intl.ListFormat("en-GB").format(workspaces)} …`);
  for (const workspace of workspaces) {
    rmSync(stampPath(workspace), { force: true });
    const sources = hashSources(workspace);
    const { status } = await run(...npm("run", "--silent", "build", "--workspace", workspace));
    if (status !== 0) {
      throw new PlainError(`${workspace} could not be built. The messages of its build are above.`);
    }
    mkdirSync(cache, { recursive: true });
    writeFileSync(stampPath(workspace), makeStamp(workspace, sources));
  }
}

/** @param {string} workspace */
function stampPath(workspace) {
  return join(cache, `${workspace.replace("/", "-")}.built`);
}

/**
 * The stamp covers the result as well, so that another build, or an interrupted one, is noticed.
 * @param {string} workspace
 * @param {string} sources
 */
function makeStamp(workspace, sources) {
  return `${sources} ${hashFiles([`${workspace}/dist`])}\n`;
}

/** @param {string} workspace */
function hashSources(workspace) {
  return hashFiles([workspace, ...(WORKSPACES.get(workspace) ?? []), ...SHARED_SOURCES], NOT_A_SOURCE);
}

/**
 * @param {readonly string[]} paths files and folders, relative to the checkout; missing ones are allowed
 * @param {RegExp} [ignored] names of files and folders inside the folders
 * @returns {string} a hash of the names and contents of all files
 */
export function hashFiles(paths, ignored = /^$/) {
  const hash = createHash("sha256");
  const add = (/** @type {string} */ path) => {
    const absolute = join(root, path);
    if (statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) {
      const names = readdirSync(absolute).filter((name) => !ignored.test(name));
      for (const name of names.sort()) {
        add(`${path}/${name}`);
      }
    } else {
      const content = existsSync(absolute) ? readFileSync(absolute) : undefined;
      hash.update(`${path}\0${content?.length ?? "missing"}\0`).update(content ?? "");
    }
  };
  paths.forEach(add);
  return hash.digest("hex");
}
