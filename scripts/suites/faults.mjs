import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { root } from "../setup/checkout.mjs";

const WRITE = "--write";

/**
 * @param {readonly string[]} args parts of names of faults, and what Vitest takes; `--write` is ours
 * @returns {string[]} what Node is to run
 */
export function faultsArguments(args) {
  const vitest = dirname(createRequire(join(root, "package.json")).resolve("vitest/package.json"));
  const others = args.filter((arg) => arg !== WRITE);
  return [join(vitest, "vitest.mjs"), "run", "--config", "faults/vitest.config.ts", ...others];
}

/**
 * @param {readonly string[]} args
 * @returns {{ FAULTS_PAGE?: string }} for the environment: the page that the figures are to be written into
 */
export function pageToWrite(args) {
  return args.includes(WRITE) ? { FAULTS_PAGE: join(root, "docs/faults.md") } : {};
}
