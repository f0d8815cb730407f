import { once } from "node:events";
import { createServer } from "node:net";

/** @returns {Promise<number>} a port that was free a moment ago */
export async function findFreePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/**
 * @param {number} port
 * @returns {Promise<boolean>} whether it is in use on either address of `localhost`
 */
export async function isPortTaken(port) {
  for (const host of ["127.0.0.1", "::1"]) {
    const server = createServer().listen(port, host);
    try {
      await once(server, "listening");
      server.close();
      await once(server, "close");
    } catch (error) {
      // The servers report other errors themselves, such as missing IPv6.
      if (/** @type {NodeJS.ErrnoException} */ (error).code === "EADDRINUSE") {
        return true;
      }
    }
  }
  return false;
}
