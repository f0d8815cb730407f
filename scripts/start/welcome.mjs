export const THREE_CLIENTS = ["anouk", "magali", "omar"];

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {boolean} whether anyone may be any client
 */
export function isDemo(env) {
  return !env["AUTH_JWT_SECRET"] && !env["AUTH_JWKS_URL"];
}

/**
 * @param {string} url where the server is
 * @param {{ isDemo: boolean, redis: string }} mode what is to be said about Redis; empty where there is none
 * @returns {string} where to point the browser, and how to open three clients
 */
export function welcome(url, { isDemo, redis }) {
  const running = `\nRunning at ${url}\n${redis}`;
  const stop = "\nCtrl-C stops it.";
  if (!isDemo) {
    return `${running}${stop}`;
  }
  const links = THREE_CLIENTS.map((client) => `${url}/?as=${client}`);
  const [first, ...others] = THREE_CLIENTS;
  const lines = [
    ...table("Three clients in three tabs", links),
    ...table("All three on one page", [`${url}/demo`]),
    ...table("Or in three terminals", [`curl -N ${url}/events/${first}   (then ${others.join(", ")})`]),
  ];
  return `${running}\n${lines.join("\n")}\n${stop}`;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {string} a line on what this server is to the others on its Redis; empty where it stands alone
 */
export function describeRedis(env) {
  const { REDIS_URL: url, TRIGGERS: triggers } = env;
  if (!url) {
    return "";
  }
  const role =
    triggers === "elsewhere" ? "leaves its triggers to others (npm run gears)" : "hosts its triggers as well";
  return `Presence is shared through Redis at ${hostsOf(url)}; this server ${role}.\n`;
}

/**
 * @param {string} url of a Redis, of Sentinels (several hosts, which no URL parser takes), or several of a cluster's nodes
 * @returns {string} without its password
 */
function hostsOf(url) {
  const hosts = url
    .split(/,(?=rediss?:)/)
    .map((one) => /^[a-z+]+:\/\/(?:[^@/]*@)?([^/?#]+)/.exec(one)?.[1] ?? "REDIS_URL");
  return hosts.join(",");
}

/**
 * @param {string} title
 * @param {readonly string[]} values
 */
export function table(title, values) {
  return values.map((value, index) => `  ${(index === 0 ? title : "").padEnd(28)} ${value}`);
}
