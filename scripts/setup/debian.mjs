import { readFile } from "node:fs/promises";
import { runQuietly } from "./child.mjs";

const INSTALL_LIMIT_MS = 300_000;
/** Killing it halfway leaves the system's packages for somebody to repair. */
const PACKAGE_MANAGER_GRACE_MS = 20_000;

/**
 * @param {{ orKin: boolean }} which whether systems made of Debian will do, such as Ubuntu
 * @returns {Promise<((names: readonly string[]) => Promise<import("./child.mjs").Result>) | undefined>} installs packages
 *   of this system; undefined if it has none of Debian's, or we may not
 */
export async function debianInstaller({ orKin }) {
  const prefix = await rootCommandPrefix();
  if (prefix === undefined || !(await isDebian(orKin))) {
    return undefined;
  }
  const aptGet = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=60"];
  return async (names) => {
    await runPackageManager([...aptGet, "update"]);
    return runPackageManager([...aptGet, "install", "--yes", "--no-install-recommends", ...names]);
  };
}

/** @param {readonly string[]} command */
async function runPackageManager([file = "", ...args]) {
  return runQuietly(file, args, { timeoutMs: INSTALL_LIMIT_MS, graceMs: PACKAGE_MANAGER_GRACE_MS });
}

/** @returns {Promise<string[] | undefined>} what to put before a command to run it as root; undefined if we may not */
async function rootCommandPrefix() {
  if (process.getuid?.() === 0) {
    return [];
  }
  const { ok } = await runQuietly("sudo", ["-n", "true"]);
  return ok ? ["sudo", "-n"] : undefined;
}

/** @param {boolean} orKin */
async function isDebian(orKin) {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const name = orKin ? /^ID(_LIKE)?="?([\w. ]* )?debian\b/m : /^ID="?debian"?$/m;
  return name.test(release);
}
