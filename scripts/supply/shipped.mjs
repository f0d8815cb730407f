/** What may be part of what we ship, by SPDX's names: each lets anyone use and pass on, and asks for no more than a notice. */
export const ALLOWED_LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "OFL-1.1"];

/** The workspaces that run at a user's: the servers, the trigger host, and the web app. */
const SHIPPED = ["apps/server", "apps/web", "gears", "packages/protocol"];

/**
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {string} [license]
 * @property {boolean} [link]
 * @property {string} [resolved]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 *
 * @typedef {{ packages: Record<string, LockedPackage> }} Lock package-lock.json
 * @typedef {{ name: string, version: string, license: string }} Shipped
 */

/**
 * The packages of others that ours stand on, by name.
 * @param {Lock} lock
 * @returns {Shipped[]}
 */
export function shippedPackages({ packages }) {
  /** @type {Map<string, Shipped>} */
  const shipped = new Map();
  const toVisit = [...SHIPPED];
  const visited = new Set(toVisit);
  for (let path = toVisit.pop(); path !== undefined; path = toVisit.pop()) {
    const { dependencies, optionalDependencies } = packages[path] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = resolve(packages, path, name);
      if (found === undefined || visited.has(found)) {
        continue;
      }
      visited.add(found);
      toVisit.push(found);
      const { version = "", license = "unknown" } = packages[found] ?? {};
      if (found.includes("node_modules/")) {
        shipped.set(`${name} ${version}`, { name, version, license });
      }
    }
  }
  return [...shipped].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found);
}

/**
 * Where Node.js would find it: in the nearest `node_modules`, upwards.
 * @param {Record<string, LockedPackage>} packages
 * @param {string} from
 * @param {string} name
 * @returns {string | undefined}
 */
function resolve(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")))) {
    const path = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const found = packages[path];
    if (found !== undefined) {
      return found.link ? found.resolved : path;
    }
    if (folder === "") {
      return undefined;
    }
  }
}

/**
 * @param {readonly Shipped[]} shipped
 * @returns {string} the page that names them
 */
export function licencesPage(shipped) {
  const rows = shipped.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`);
  return `# Licences

What a running server, a trigger host and the web app contain of others, from the lock file. Written by \`npm run licences\`.
Allowed are ${ALLOWED_LICENCES.join(", ")}.

| package | version | licence |
|---|---|---|
${rows.join("\n")}
`;
}
