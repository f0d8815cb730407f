import { PlainError } from "../setup/plain-error.mjs";
import { prepare } from "../setup/prepare.mjs";
import { quietly } from "../setup/program.mjs";
import { beforeStop, stopWhenTold } from "../setup/stop.mjs";
import { isDemo, THREE_CLIENTS, table } from "../start/welcome.mjs";
import { Part } from "./part.mjs";
import { expectFreePorts } from "./ports.mjs";
import { openRedis } from "./redis-part.mjs";

const SERVERS = 3;
const FIRST_PORT = 8081;
const LAST_PORT = 65_535;

/**
 * Runs the whole platform on this machine, Redis and three servers, until it is told to stop or one of them ends. Throws
 * a PlainError.
 * @param {{ argv: string[], env: NodeJS.ProcessEnv }} options `argv` is for each server
 */
export async function demo({ argv, env }) {
  stopWhenTold();
  const ports = choosePorts(env["PORT"] || String(FIRST_PORT));
  await prepare();
  await expectFreePorts(ports);
  const running = new Running();
  const withdraw = beforeStop(async () => {
    process.stdout.write("\nStopping … ");
    await running.end();
    process.stdout.write("done\n");
  }, 0);
  try {
    const redis = await openRedis(env);
    running.redis = redis;
    // The first one brings what all of them need into Redis, and says once what is wrong.
    const [first, ...others] = ports.map(
      (port, index) => () => running.addServer(index + 1, port, redis.url, argv, env),
    );
    await first?.();
    await Promise.all(others.map((start) => start()));
    console.log(welcome(ports, redis, { isDemo: isDemo(env) }));
    throw new PlainError(`\n${await running.firstEnd()} Without it the demo is over.`);
  } finally {
    await running.end();
    withdraw();
  }
}

/** What has been started, to be ended as a whole. */
class Running {
  /** @type {Part[]} */
  #servers = [];
  /** @type {import("./redis-part.mjs").DemoRedis | undefined} */
  redis;

  /**
   * @param {number} number
   * @param {number} port
   * @param {string} redisUrl
   * @param {readonly string[]} argv
   * @param {NodeJS.ProcessEnv} env
   */
  async addServer(number, port, redisUrl, argv, env) {
    const name = `server-${number}`;
    const server = new Part(name, process.execPath, ["apps/server/dist/main.js", ...argv], {
      HOST: "",
      PORT: String(port),
      SERVER_ID: name,
      REDIS_URL: redisUrl,
      LOG_LEVEL: quietly(env)["LOG_LEVEL"] ?? "",
    });
    this.#servers.push(server);
    await server.untilReady(() => isReady(port));
  }

  /** @returns {Promise<string>} what came of the first part that ended, in words */
  firstEnd() {
    const parts = this.redis?.part === undefined ? this.#servers : [this.redis.part, ...this.#servers];
    return Promise.race(parts.map((part) => part.ended));
  }

  /** Ends the servers, and then Redis, to which they still say goodbye. */
  async end() {
    await Promise.all(this.#servers.splice(0).map((server) => server.end()));
    const redis = this.redis;
    this.redis = undefined;
    await redis?.close();
  }
}

/** @param {string} first the first server's port; the others' follow */
function choosePorts(first) {
  const port = Number(first);
  if (!/^\d+$/.test(first) || port === 0 || port + SERVERS - 1 > LAST_PORT) {
    throw new PlainError(
      `PORT must be a whole number from 1 to ${LAST_PORT - SERVERS + 1}, not ${JSON.stringify(first)}.`,
    );
  }
  return Array.from({ length: SERVERS }, (_, index) => port + index);
}

/** @param {number} port */
async function isReady(port) {
  try {
    const { ok } = await fetch(`http://localhost:${port}/readyz`);
    return ok;
  } catch {
    return false;
  }
}

/**
 * @param {readonly number[]} ports
 * @param {import("./redis-part.mjs").DemoRedis} redis
 * @param {{ isDemo: boolean }} mode
 */
function welcome(ports, { name, monitorCommand }, { isDemo }) {
  const urls = ports.map((port) => `http://localhost:${port}`);
  const of = (/** @type {(url: string, client: string | undefined) => string} */ write) =>
    urls.map((url, index) => write(url, THREE_CLIENTS[index]));
  const clients = [
    ...table(
      "Three clients, three servers",
      of((url, client) => `${url}/?as=${client}`),
    ),
    ...table(
      "Or in three terminals",
      of((url, client) => `curl -N ${url}/events/${client}`),
    ),
  ];
  const lines = [
    ...(isDemo ? clients : table("Three servers", urls)),
    ...table("What Redis is told", [monitorCommand]),
  ];
  return `\nRunning: ${name}, and three servers.\n\n${lines.join("\n")}\n\nCtrl-C stops it all.`;
}
