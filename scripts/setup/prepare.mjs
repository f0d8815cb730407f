import { buildTargets, findStaleTargets } from "./build.mjs";
import { installPackages, isInstalled } from "./install.mjs";
import { oneAtATime } from "./lock.mjs";

/** Installs and builds what is missing or out of date; touches nothing if nothing is. Throws a PlainError. */
export async function prepare() {
  if (!(await isReady())) {
    await oneAtATime(makeReady);
  }
}

async function isReady() {
  return (await isInstalled()) && (await findStaleTargets()).length === 0;
}

async function makeReady() {
  if (!(await isInstalled())) {
    await installPackages();
  }
  const stale = await findStaleTargets();
  if (stale.length > 0) {
    await buildTargets(stale);
  }
}
