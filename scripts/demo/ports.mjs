import { once } from "node:events";
import { createServer } from "node:net";
import { PlainError } from "../setup/plain-error.mjs";

const ELSEWHERE = 1_000;
/** `localhost` may mean either. */
const LOOPBACK = ["127.0.0.1", "::1"];

/**
 * Throws a PlainError if one of them is in use.
 * @param {readonly number[]} ports
 */
export async function expectFreePorts(ports) {
  for (const port of ports) {
    for (const host of LOOPBACK) {
      if (await isTaken(port, host)) {
        throw new PlainError(
          `Port ${port} is in use, and the demo takes ${listed.format(ports.map(String))}. Stop what runs there, or choose ` +
            `the first of other ports: PORT=${port + ELSEWHERE} npm run demo.`,
        );
      }
    }
  }
}

const listed = new Intl.ListFormat("en-GB");

/** @returns {Promise<number>} a port that was free a moment ago */
export async function findFreePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/**
 * @param {number} port
 * @param {string} host
 */
async function isTaken(port, host) {
  const server = createServer().listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    // Another reason, such as no IPv6, is for the servers to tell.
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EADDRINUSE";
  }
  server.close();
  await once(server, "close");
  return false;
}
