const SEVERE = ["high", "critical"];

/**
 * @param {string} output of `npm audit --json`, perhaps with warnings before and after the JSON
 * @returns {{ text: string, exitStatus: 0 | 1 | 2 }} 1: there are severe vulnerabilities, 2: the registry gave no answer
 */
export function describeAdvisories(output) {
  const report = parseBetweenBraces(output);
  if (report?.vulnerabilities === undefined) {
    const reason = report?.message ?? (output.trim().split("\n")[0] || "npm audit printed nothing");
    return { text: `The registry did not answer: ${reason}`, exitStatus: 2 };
  }
  const severe = Object.values(report.vulnerabilities).filter(({ severity }) => SEVERE.includes(severity));
  if (severe.length === 0) {
    return { text: "The installed packages have no known vulnerability of high severity.", exitStatus: 0 };
  }
  const lines = severe.map(({ name, severity, range }) => `${name} ${range}: ${severity}`);
  return { text: lines.join("\n"), exitStatus: 1 };
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
