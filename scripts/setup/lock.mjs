import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cache } from "./checkout.mjs";
import { progress } from "./progress.mjs";
import { beforeStop } from "./stop.mjs";

const LOCK = join(cache, "preparing.pid");
const CHECK_INTERVAL_MS = 200;
/** Longer than any preparation takes; a lock that is older was left behind, and its process id may be another's now. */
const ABANDONED_AFTER_MS = 20 * 60_000;

/**
 * Does work that no other process may do in this checkout at the same time, after waiting for one that is at it.
 * @param {() => Promise<void>} work
 */
export async function oneAtATime(work) {
  await mkdir(cache, { recursive: true });
  if (!(await take())) {
    await progress("Waiting for another command that prepares this checkout", async () => {
      while (!(await take())) {
        await delay(CHECK_INTERVAL_MS);
      }
    });
  }
  const release = () => rm(LOCK, { force: true });
  const withdraw = beforeStop(release);
  try {
    await work();
  } finally {
    withdraw();
    await release();
  }
}

/** @returns {Promise<boolean>} whether the lock is ours now */
async function take() {
  try {
    await writeFile(LOCK, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") {
      throw error;
    }
  }
  if (await isAbandoned()) {
    await rm(LOCK, { force: true });
  }
  return false;
}

async function isAbandoned() {
  const [holder, age] = await Promise.all([
    readFile(LOCK, "utf8").catch(() => ""),
    stat(LOCK).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    ),
  ]);
  return age > ABANDONED_AFTER_MS || (holder !== "" && !isAlive(Number(holder)));
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
