const THREE_CLIENTS = ["anouk", "magali", "omar"];

/**
 * @param {string} url where the server is
 * @param {{ isDemo: boolean }} mode whether anyone may be any client
 * @returns {string} where to point the browser, and how to open three clients
 */
export function welcome(url, { isDemo }) {
  const running = `\nRunning at ${url}\n`;
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
 * @param {string} title
 * @param {readonly string[]} values
 */
function table(title, values) {
  return values.map((value, index) => `  ${(index === 0 ? title : "").padEnd(28)} ${value}`);
}
