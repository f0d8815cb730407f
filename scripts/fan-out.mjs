/**
 * How many servers' streams one change goes to, by the number of servers and of those who watch: drawn by lot, for the table in
 * docs/scaling.md. `node scripts/fan-out.mjs`
 */
const CHANGES = 20_000;
const SERVERS = [10, 100, 1_000, 2_000];
const WATCHERS = [10, 50, 200];
/** The share of watchers who are connected to the server of whom they watch, where clients are routed by whom they know. */
const TOGETHER = [0, 0.8];

/**
 * @param {number} servers
 * @param {number} watchers who are online
 * @param {number} together the share of them at one server; the others are anywhere
 */
function serversTold(servers, watchers, together) {
  let told = 0;
  for (let change = 0; change < CHANGES; change += 1) {
    const reached = new Set();
    for (let watcher = 0; watcher < watchers; watcher += 1) {
      reached.add(Math.random() < together ? 0 : Math.floor(Math.random() * servers));
    }
    told += reached.size;
  }
  return told / CHANGES;
}

const rows = SERVERS.map((servers) => {
  const cells = TOGETHER.flatMap((together) =>
    WATCHERS.map((watchers) => serversTold(servers, watchers, together).toFixed(1)),
  );
  return `| ${[servers.toLocaleString("en"), ...cells].join(" | ")} |`;
});
const heads = TOGETHER.flatMap((together) =>
  WATCHERS.map((watchers) => `${watchers} watchers, ${100 * together} % together`),
);
process.stdout.write(
  `${[`| servers | ${heads.join(" | ")} |`, `|---|${"---|".repeat(heads.length)}`, ...rows].join("\n")}\n`,
);
