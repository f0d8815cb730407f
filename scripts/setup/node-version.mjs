// Runs on any Node: this file uses the syntax of Node 12 and imports nothing.

/** The oldest minor version of each supported major version. All majors after the newest listed one are supported. */
const OLDEST_MINOR_OF_MAJOR = new Map([
  [20, 19],
  [22, 12],
  [24, 0],
]);
const NEWEST_LISTED_MAJOR = 24;

/**
 * @param {string} version such as "20.19.0"
 * @returns {boolean} whether the project and its dependencies run on it
 */
export function isSupportedNode(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const oldestMinor = OLDEST_MINOR_OF_MAJOR.get(major);
  return major > NEWEST_LISTED_MAJOR || (oldestMinor !== undefined && minor >= oldestMinor);
}

/**
 * @param {string} version of this Node
 * @returns {string} one line
 */
export function unsupportedNodeMessage(version) {
  return `This needs Node ^20.19, ^22.12, or 24 and later. This is Node ${version}: install a current one from https://nodejs.org`;
}
