import { attempt } from "./attempt.mjs";
import { runQuietly } from "./child.mjs";
import { debianInstaller } from "./debian.mjs";

const VERSION_LIMIT_MS = 10_000;

/**
 * Sees to it that networks can be made and cut, where that may be: by root, on Linux. Elsewhere what needs them is skipped,
 * and says so.
 */
export async function provideNetworks() {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || (await hasIp())) {
    return;
  }
  const install = await debianInstaller({ orKin: true });
  if (install !== undefined) {
    /** @type {string[]} */
    const problems = [];
    await attempt("Installing iproute2", problems, () => install(["iproute2"]));
    for (const problem of problems) {
      console.log(problem);
    }
  }
}

async function hasIp() {
  return (await runQuietly("ip", ["-V"], { timeoutMs: VERSION_LIMIT_MS })).ok;
}
