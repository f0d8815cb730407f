import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { buildWorkspaces, findStaleWorkspaces } from "./build.mjs";
import { cache } from "./checkout.mjs";
import { installPackages, isInstalled } from "./install.mjs";

const LOCK = join(cache, "preparing.pid");
const LOCK_CHECK_INTERVAL_MS = 200;
/** No preparation takes this long. The process id in an older lock may belong to another process now. */
const LOCK_LIFETIME_MS = 20 * 60_000;

/** Installs and builds what is missing or out of date. Throws a PlainError. */
export async function prepare() {
  if ((await isInstalled()) && findStaleWorkspaces().length === 0) {
    return;
  }
  await takeLock();
  try {
    if (!(await isInstalled())) {
      await installPackages();
    }
    const stale = findStaleWorkspaces();
    if (stale.length > 0) {
      await buildWorkspaces(stale);
    }
  } finally {
    await rm(LOCK, { force: true });
  }
}

/** Two commands must not install or build in the same checkout at the same time. */
async function takeLock() {
  await mkdir(cache, { recursive: true });
  for (let tries = 0; ; tries += 1) {
    try {
      await writeFile(LOCK, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") {
        throw error;
      }
    }
    if (await isLockAbandoned()) {
      await rm(LOCK, { force: true });
      continue;
    }
    if (tries === 0) {
      console.log("Waiting for another command that prepares this checkout …");
    }
    await delay(LOCK_CHECK_INTERVAL_MS);
  }
}

async function isLockAbandoned() {
  try {
    const [pid, { mtimeMs }] = await Promise.all([readFile(LOCK, "utf8"), stat(LOCK)]);
    return Date.now() - mtimeMs > LOCK_LIFETIME_MS || (pid !== "" && !isAlive(Number(pid)));
  } catch {
    return false;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
