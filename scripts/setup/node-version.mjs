// Runs on whatever Node there is, so it keeps to the syntax of Node 12 and imports nothing.

/** The oldest minor version of each supported major; every major from the last one on is supported. */
const OLDEST_MINOR_OF_MAJOR = new Map([
  [20, 19],
  [22, 12],
  [24, 0],
]);
const NEWEST_LISTED_MAJOR = 24;

/**
 * @param {string} version a Node version such as "20.19.0"
 * @returns {boolean} whether the project, and everything that it installs, runs on it
 */
export function isSupportedNode(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const oldestMinor = OLDEST_MINOR_OF_MAJOR.get(major);
  return major > NEWEST_LISTED_MAJOR || (oldestMinor !== undefined && minor >= oldestMinor);
}

/**
 * @param {string} version the Node version that was found
 * @returns {string} one line that says what to do about it
 */
export function unsupportedNodeMessage(version) {
  return `This needs Node ^20.19, ^22.12, or 24 and later, and this is Node ${version}: get a current one from https://nodejs.org and try again.`;
}
