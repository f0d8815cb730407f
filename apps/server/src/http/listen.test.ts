import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { ListenError, type Listening, listen } from "./listen.ts";

const HELLO: RequestListener = (_request, response) => {
  response.end("hello");
};
/** Node must not close sockets by itself while a test runs. */
const NO_TIMEOUTS = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 };
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

describe("listen", () => {
  if (hasIpv6) {
    it("listens on both loopback addresses with one port", async () => {
      const { port } = await listenHere(HELLO, { hosts: ["127.0.0.1", "::1"], port: 0 });
      expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("hello");
      expect(await (await fetch(`http://[::1]:${port}`)).text()).toBe("hello");
    });
  }

  it("skips an address that this machine does not have", async () => {
    // 192.0.2.1 is reserved for documentation (RFC 5737), so no machine has it.
    const { port } = await listenHere(HELLO, { hosts: ["192.0.2.1", "127.0.0.1"], port: 0 });
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("hello");
  });

  it("fails with a clear message if the machine has none of the addresses", async () => {
    const error = await failure(listen(HELLO, { hosts: ["192.0.2.1"], port: 0 }));
    expect(error.message).toMatch(/^Cannot listen on HOST 192\.0\.2\.1 \(.*\)\. Use an address of this machine\.$/);
  });

  it("fails with a clear message if the host name cannot be resolved", async () => {
    const error = await failure(listen(HELLO, { hosts: ["no-such-host.invalid"], port: 0 }));
    expect(error.message).toMatch(/^Cannot listen on HOST no-such-host\.invalid .* Use an address/);
    expect(error.message).not.toContain("\n");
  });

  it("fails with a clear message if the port is in use", async () => {
    const port = await occupy("127.0.0.1");
    const error = await failure(listen(HELLO, { hosts: ["127.0.0.1"], port }));
    expect(error.message).toBe(
      `Port ${port} is in use. Stop the program that uses it, or choose another port: PORT=${port + 1} npm start.`,
    );
  });

  if (hasIpv6) {
    it("fails if the port is in use on one address, and releases it on the other", async () => {
      const port = await occupy("::1");
      const error = await failure(listen(HELLO, { hosts: ["127.0.0.1", "::1"], port }));
      expect(error.message).toContain(`Port ${port} is in use.`);
      const { port: free } = await listenHere(HELLO, { hosts: ["127.0.0.1"], port });
      expect(free).toBe(port);
    });
  }

  it("closes idle sockets on close, including sockets without a request", async () => {
    const listening = await listenHere(HELLO, { hosts: ["127.0.0.1"], port: 0, http: NO_TIMEOUTS });
    const unused = connect(listening.port, "127.0.0.1");
    await once(unused, "connect");
    const used = connect(listening.port, "127.0.0.1");
    used.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(used, "data");
    const closed = Promise.all([once(unused, "close"), once(used, "close")]);
    unused.resume();
    used.resume();
    await Promise.all([listening.close(), closed]);
  });

  it("waits for a request in progress on close, and then closes its socket", async () => {
    let answer: () => void = () => {};
    const listening = await listenHere(
      (_request, response) => {
        response.write("wait");
        answer = () => response.end("ed");
      },
      { hosts: ["127.0.0.1"], port: 0, http: NO_TIMEOUTS },
    );
    const socket = connect(listening.port, "127.0.0.1");
    let received = "";
    socket.on("data", (chunk: Buffer) => {
      received += chunk;
    });
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    const ended = once(socket, "end");
    const closed = listening.close();
    answer();
    await Promise.all([ended, closed]);
    expect(received).toContain("ed");
  });

  it("refuses new connections after close", async () => {
    const listening = await listenHere(HELLO, { hosts: ["127.0.0.1"], port: 0 });
    await listening.close();
    await expect(fetch(`http://127.0.0.1:${listening.port}`)).rejects.toThrow();
  });
});

async function listenHere(...parameters: Parameters<typeof listen>): Promise<Listening> {
  const listening = await listen(...parameters);
  onTestFinished(() => listening.close());
  return listening;
}

/** Occupies a port. */
async function occupy(host: string): Promise<number> {
  const server = createServer();
  onTestFinished(() => {
    server.close();
  });
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function failure(listening: Promise<Listening>): Promise<ListenError> {
  try {
    await (await listening).close();
  } catch (error) {
    if (error instanceof ListenError) return error;
    throw error;
  }
  throw new Error("listen() did not fail");
}
