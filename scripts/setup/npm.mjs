import { basename, dirname, join } from "node:path";
import { runQuietly, runShown } from "./child.mjs";

/** How to run npm: the npm that runs us, else the one that came with this Node, else the one on the PATH. */
function npmCommand() {
  const running = process.env["npm_execpath"];
  if (running && basename(running) === "npm-cli.js") {
    return { file: process.execPath, args: [running] };
  }
  if (process.platform === "win32") {
    return { file: process.execPath, args: [join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js")] };
  }
  return { file: "npm", args: [] };
}

/**
 * Runs npm with its output kept.
 * @param {readonly string[]} args
 * @param {import("./child.mjs").Options} [options]
 */
export function npmQuietly(args, options) {
  const npm = npmCommand();
  return runQuietly(npm.file, [...npm.args, ...args], options);
}

/**
 * Runs a script of package.json with its output shown.
 * @param {string} script
 * @param {readonly string[]} args the script's own
 * @param {import("./child.mjs").Options} [options]
 */
export function npmScriptShown(script, args, options) {
  const npm = npmCommand();
  return runShown(npm.file, [...npm.args, "run", "--silent", script, "--", ...args], options);
}
