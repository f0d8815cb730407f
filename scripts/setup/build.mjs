import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cache } from "./checkout.mjs";
import { fingerprint } from "./fingerprint.mjs";
import { npmQuietly } from "./npm.mjs";
import { PlainError } from "./plain-error.mjs";
import { progress } from "./progress.mjs";

/**
 * @typedef {object} Target what one workspace's `build` script makes
 * @property {string} name
 * @property {string} workspace
 * @property {readonly string[]} sources where else what it is made of is
 */

/** @type {readonly Target[]} */
const TARGETS = [
  { name: "presence libraries", workspace: "gears", sources: [] },
  // It may host triggers, and so holds the trigger host.
  { name: "server", workspace: "apps/server", sources: ["gears/src"] },
  { name: "web app", workspace: "apps/web", sources: [] },
];

const SHARED_SOURCES = ["packages/protocol/src", "package-lock.json", "tsconfig.base.json"];

const listed = new Intl.ListFormat("en-GB");

/** @returns {Promise<Target[]>} those whose `dist` isn't what a build of the present sources left there */
export async function findStaleTargets() {
  const fresh = await Promise.all(TARGETS.map(isFresh));
  return TARGETS.filter((_, index) => !fresh[index]);
}

/**
 * Builds them at the same time. Throws a PlainError with what the builders said.
 * @param {readonly Target[]} targets
 */
export async function buildTargets(targets) {
  const names = listed.format(targets.map(({ name }) => `the ${name}`));
  await progress(`Building ${names}`, async () => {
    const problems = await Promise.all(targets.map(build));
    if (problems.some(Boolean)) {
      throw new PlainError(problems.filter(Boolean).join("\n"));
    }
  });
}

/**
 * The stamp names the result as well as the sources, so that a build by other means, or half of one, doesn't pass.
 * @param {Target} target
 */
async function isFresh(target) {
  const stamp = await readFile(stampPath(target), "utf8").catch(() => "");
  return stamp !== "" && stamp === (await currentStamp(target));
}

/**
 * @param {Target} target
 * @returns {Promise<string | undefined>} what went wrong
 */
async function build(target) {
  await rm(stampPath(target), { force: true });
  const sources = await fingerprintSources(target);
  const { ok, output } = await npmQuietly(["run", "--silent", "build", "--workspace", target.workspace]);
  if (!ok) {
    return `\nThe ${target.name} could not be built:\n\n${output.trim()}`;
  }
  if (sources === (await fingerprintSources(target))) {
    await mkdir(dirname(stampPath(target)), { recursive: true });
    await writeFile(stampPath(target), await currentStamp(target));
  }
  return undefined;
}

/** @param {Target} target */
async function currentStamp(target) {
  return `${await fingerprintSources(target)} ${await fingerprint([`${target.workspace}/dist`])}\n`;
}

/** @param {Target} target */
function fingerprintSources({ workspace, sources }) {
  const isIgnored = (/** @type {string} */ name) =>
    ["dist", "node_modules", ".cache", "test"].includes(name) || /\.test\.\w+$/.test(name);
  return fingerprint([workspace, ...sources, ...SHARED_SOURCES], isIgnored);
}

/** @param {Target} target */
function stampPath({ workspace }) {
  return join(cache, `${workspace.replace("/", "-")}.built`);
}
