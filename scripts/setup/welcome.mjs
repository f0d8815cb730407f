export const THREE_CLIENTS = ["anouk", "magali", "omar"];

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {boolean} whether everyone may sign in as any client
 */
export function isDemo(env) {
  return !env["AUTH_JWT_SECRET"] && !env["AUTH_JWKS_URL"];
}

/**
 * @param {string} url of the server
 * @param {{ isDemo: boolean, redis: string }} mode `redis` is a line about Redis, or empty
 * @returns {string} the text that is printed when the server runs
 */
export function welcome(url, { isDemo, redis }) {
  const [first, ...others] = THREE_CLIENTS;
  const clients = [
    ...table(
      "Three clients in three tabs",
      THREE_CLIENTS.map((client) => `${url}/?as=${client}`),
    ),
    ...table("All three on one page", [`${url}/demo`]),
    ...table("Or in three terminals", [`curl -N ${url}/events/${first}   (then ${others.join(", ")})`]),
    "",
  ];
  return `\nRunning at ${url}\n${redis}\n${isDemo ? `${clients.join("\n")}\n` : ""}Ctrl-C stops it.`;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {string} a line about the Redis that this server shares with others; empty in standalone mode
 */
export function describeRedis({ REDIS_URL: url, TRIGGERS: triggers }) {
  if (!url) {
    return "";
  }
  const role =
    triggers === "elsewhere" ? "does not host the triggers (npm run gears does)" : "hosts the triggers as well";
  return `Presence is shared through Redis at ${hostsOf(url)}; this server ${role}.\n`;
}

/**
 * @param {string} url of one Redis, of Sentinels (one URL with several hosts), or of several nodes of a cluster
 * @returns {string} the hosts, without credentials
 */
function hostsOf(url) {
  const hosts = url
    .split(/,(?=rediss?:)/)
    .map((one) => /^[a-z+]+:\/\/(?:[^@/]*@)?([^/?#]+)/.exec(one)?.[1] ?? "REDIS_URL");
  return hosts.join(",");
}

/**
 * @param {string} title of the first row
 * @param {readonly string[]} values one row each
 */
export function table(title, values) {
  return values.map((value, index) => `  ${(index === 0 ? title : "").padEnd(28)} ${value}`);
}
