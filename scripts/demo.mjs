// npm run demo: runs the whole platform on this machine, Redis and three servers, until it is told to stop or one of these
// processes ends.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DemoProcess } from "./demo/demo-process.mjs";
import { findFreePort, isPortTaken } from "./demo/ports.mjs";
import { PlainError } from "./setup/plain-error.mjs";
import { prepare } from "./setup/prepare.mjs";
import { closeOnStop, quietEnvironment } from "./setup/program.mjs";
import { findPrograms, requirePrograms } from "./setup/programs.mjs";
import { handleSignals } from "./setup/signals.mjs";
import { isDemo, THREE_CLIENTS, table } from "./setup/welcome.mjs";

const SERVERS = THREE_CLIENTS.length;
const FIRST_PORT = "8081";
const PORT_STEP = 1_000;
const LAST_PORT = 65_535;
const STOP_LIMIT_MS = 10_000;

handleSignals();
const ports = choosePorts(process.env["PORT"] || FIRST_PORT);
await prepare();
await expectFreePorts();
const folder = await mkdtemp(join(tmpdir(), "presence-demo-"));
/** @type {DemoProcess[]} */
const processes = [];
const withdraw = closeOnStop(stopAll, STOP_LIMIT_MS);
try {
  const redis = await openRedis();
  const [first, ...others] = ports.map((port, index) => () => startServer(`server-${index + 1}`, port, redis.url));
  // The first server loads the library into Redis. If a setting is wrong, the error is printed once.
  await first?.();
  await Promise.all(others.map((start) => start()));
  console.log(welcome(redis));
  throw new PlainError(`\n${await Promise.race(processes.map(({ ended }) => ended))} The demo ends.`);
} finally {
  await stopAll();
  withdraw();
}

/** @param {string} first the port of the first server */
function choosePorts(first) {
  const port = Number(first);
  if (!/^\d+$/.test(first) || port === 0 || port + SERVERS - 1 > LAST_PORT) {
    const last = LAST_PORT - SERVERS + 1;
    throw new PlainError(`PORT must be a whole number from 1 to ${last}, not ${JSON.stringify(first)}.`);
  }
  return Array.from({ length: SERVERS }, (_, index) => port + index);
}

async function expectFreePorts() {
  for (const port of ports) {
    if (await isPortTaken(port)) {
      const needed = new Intl.ListFormat("en-GB").format(ports.map(String));
      throw new PlainError(
        `Port ${port} is in use, and the demo needs ${needed}. Stop the program that uses it, or choose other ports: ` +
          `PORT=${port + PORT_STEP} npm run demo`,
      );
    }
  }
}

/**
 * Uses the Redis of REDIS_URL, or starts one on loopback that keeps nothing.
 * @returns {Promise<{ url: string, name: string, monitorCommand: string }>}
 */
async function openRedis() {
  const url = process.env["REDIS_URL"];
  if (url) {
    return { url, name: "the Redis of REDIS_URL", monitorCommand: 'redis-cli -u "$REDIS_URL" monitor' };
  }
  const hint = "Or set REDIS_URL to a running Redis.";
  const { REDIS_SERVER_PATH: path = "" } = requirePrograms(await findPrograms(["redis"]), hint);
  const port = await findFreePort();
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
  const redis = new DemoProcess("Redis", path, settings);
  processes.push(redis);
  await redis.waitUntil((output) => output.includes("Ready to accept connections"));
  return {
    url: `redis://127.0.0.1:${port}`,
    name: `Redis on port ${port}`,
    monitorCommand: `redis-cli -p ${port} monitor`,
  };
}

/**
 * @param {string} name
 * @param {number} port
 * @param {string} redisUrl
 */
async function startServer(name, port, redisUrl) {
  const { LOG_LEVEL = "" } = quietEnvironment();
  const env = { HOST: "", PORT: String(port), SERVER_ID: name, REDIS_URL: redisUrl, LOG_LEVEL };
  const server = new DemoProcess(name, process.execPath, ["apps/server/dist/main.js", ...process.argv.slice(2)], env);
  processes.push(server);
  await server.waitUntil(() =>
    fetch(`http://localhost:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}

/** Stops the servers before Redis: they remove themselves from it. */
async function stopAll() {
  const redis = processes.filter(({ name }) => name === "Redis");
  await Promise.all(processes.filter((server) => !redis.includes(server)).map((server) => server.stop()));
  await Promise.all(redis.map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
}

/** @param {{ name: string, monitorCommand: string }} redis */
function welcome({ name, monitorCommand }) {
  const urls = ports.map((port) => `http://localhost:${port}`);
  const lines = isDemo(process.env)
    ? [
        ...table(
          "Three clients, three servers",
          urls.map((url, index) => `${url}/?as=${THREE_CLIENTS[index]}`),
        ),
        ...table(
          "Or in three terminals",
          urls.map((url, index) => `curl -N ${url}/events/${THREE_CLIENTS[index]}`),
        ),
      ]
    : table("Three servers", urls);
  lines.push(...table("The commands that Redis gets", [monitorCommand]));
  return `\nRunning: ${name}, and three servers.\n\n${lines.join("\n")}\n\nCtrl-C stops all of them.`;
}
