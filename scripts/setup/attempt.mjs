import { PlainError } from "./plain-error.mjs";
import { progress } from "./progress.mjs";

/**
 * Shows how it goes; whether what was wanted is there then is for the next step to tell.
 * @param {string} doing
 * @param {string[]} problems gets what went wrong
 * @param {() => Promise<import("./child.mjs").Result>} run
 */
export async function attempt(doing, problems, run) {
  try {
    await progress(doing, async () => {
      const { ok, output } = await run();
      if (!ok) {
        throw new PlainError(output.trim());
      }
    });
  } catch (error) {
    problems.push(`${doing}: ${error instanceof Error ? error.message : error}`);
  }
}
