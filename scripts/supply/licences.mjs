/** SPDX names of licences that allow use and redistribution, and ask for a notice at most. */
export const ALLOWED_LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "OFL-1.1"];

/**
 * @typedef {{ version?: string, license?: string, link?: boolean, dev?: boolean, devOptional?: boolean }} LockedPackage
 * @typedef {{ name: string, version: string, license: string }} Shipped
 */

/**
 * @param {{ packages: Record<string, LockedPackage> }} lock package-lock.json
 * @returns {Shipped[]} all packages of others that are more than development dependencies, by name
 */
export function shippedPackages({ packages }) {
  const shipped = Object.entries(packages)
    .filter(([path, { link, dev, devOptional }]) => path.includes("node_modules/") && !link && !dev && !devOptional)
    .map(([path, { version = "", license = "unknown" }]) => {
      return { name: path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length), version, license };
    });
  const key = (/** @type {Shipped} */ { name, version }) => `${name} ${version}`;
  const byKey = new Map(shipped.map((found) => [key(found), found]));
  return [...byKey.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/**
 * @param {readonly Shipped[]} shipped
 * @returns {string} docs/licences.md
 */
export function licencesPage(shipped) {
  const rows = shipped.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`);
  return `# Licences

The packages that a server, a trigger host and the web app contain, from the lock file. \`npm run licences\` writes this page.
These licences are allowed: ${ALLOWED_LICENCES.join(", ")}.

| package | version | licence |
|---|---|---|
${rows.join("\n")}
`;
}
