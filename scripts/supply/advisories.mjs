import { root } from "../setup/checkout.mjs";
import { npmQuietly } from "../setup/npm.mjs";

/** The exit status where nobody tells. */
export const UNKNOWN = 2;

const LIMIT_MS = 60_000;
const BAD = ["high", "critical"];

/**
 * Asks the registry for known holes in what is installed.
 * @returns {Promise<{ holes: string[] } | { unknown: string }>} the packages with bad ones, or why nobody knows
 */
export async function askForAdvisories() {
  const { output } = await npmQuietly(["audit", "--json"], { cwd: root, timeoutMs: LIMIT_MS });
  return readAudit(output);
}

/**
 * @param {string} output of `npm audit --json`, perhaps with warnings before and after it
 * @returns {{ holes: string[] } | { unknown: string }}
 */
export function readAudit(output) {
  const report = parseBetweenBraces(output);
  if (report?.vulnerabilities === undefined) {
    return { unknown: report?.message ?? (output.trim().split("\n")[0] || "npm audit says nothing") };
  }
  const found = Object.values(report.vulnerabilities).filter(({ severity }) => BAD.includes(severity));
  return { holes: found.map(({ name, severity, range }) => `${name} ${range}: ${severity}`) };
}

/**
 * @param {string} text
 * @returns {{ message?: string, vulnerabilities?: Record<string, { name: string, severity: string, range: string }> } | undefined}
 */
function parseBetweenBraces(text) {
  try {
    return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
}
