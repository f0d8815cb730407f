import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import type { Socket } from "node:net";
import { plainProblem } from "./http-problem.ts";

/**
 * Size of the queue of connections that wait to be accepted. Node's default of 511 overflows when thousands of clients
 * reconnect at once. TCP retries a connection that did not fit only after a second or more.
 */
const LISTEN_BACKLOG = 4096;
/** How long a socket may stay open without sending a complete request header. Node's default is a minute. */
const HEADERS_TIMEOUT_MS = 15_000;

export interface Listening {
  /** The port in use, the same on each address. */
  port: number;
  /** Stops accepting, then waits for open requests to end. */
  close(): Promise<void>;
}

/** The server cannot listen on the port or address. The message is one line that says what to do. */
export class ListenError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ListenError";
  }
}

export interface ListenOptions {
  hosts: readonly string[];
  /** 0 for any free port. */
  port: number;
  /** Called with each new socket. */
  onSocket?: (socket: Socket) => void;
  /** Options for `http.createServer`. */
  http?: ServerOptions;
}

/**
 * Serves `listener` on each of `hosts`. An address that this machine does not have is skipped if another one works,
 * because many machines have no IPv6.
 *
 * @throws {ListenError}
 */
export async function listen(
  listener: RequestListener,
  { hosts, port, onSocket = () => {}, http = {} }: ListenOptions,
): Promise<Listening> {
  const closings: (() => Promise<void>)[] = [];
  let lastError: unknown;
  let chosenPort = port;
  for (const host of hosts) {
    const server = createHttpServer(listener, http);
    server.on("connection", onSocket);
    const closeIdle = trackIdleSockets(server);
    try {
      chosenPort = await listenOn(server, host, chosenPort);
      closings.push(() => close(server, closeIdle));
    } catch (error) {
      lastError = error;
      if (isMissingAddress(error)) continue;
      await closeAll(closings);
      throw listenError(error, host, port);
    }
  }
  if (closings.length === 0) throw listenError(lastError, hosts.join(", "), port);
  return { port: chosenPort, close: () => closeAll(closings) };
}

function createHttpServer(listener: RequestListener, options: ServerOptions): Server {
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, ...options }, listener);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => answerInvalidRequest(error, socket));
  return server;
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}

function close(server: Server, closeIdle: () => void): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    closeIdle();
  });
}

async function closeAll(closings: readonly (() => Promise<void>)[]): Promise<void> {
  await Promise.all(closings.map((closeOne) => closeOne()));
}

/**
 * Tracks sockets without a request in progress. `server.closeIdleConnections()` misses two kinds: sockets that have not
 * sent a request yet (browsers open them in advance), and sockets that become idle while the server is closing. Each
 * would delay the end by seconds.
 *
 * @returns a function that closes all idle sockets; the other sockets close after their response
 */
function trackIdleSockets(server: Server): () => void {
  const idle = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    idle.add(socket);
    socket.once("close", () => idle.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    idle.delete(socket);
    response.once("close", () => {
      if (socket.destroyed) return;
      if (server.listening) idle.add(socket);
      else socket.destroySoon();
    });
  });
  return () => {
    for (const socket of idle) socket.destroy();
  };
}

function isMissingAddress(error: unknown): boolean {
  return hasCode(error, "EADDRNOTAVAIL") || hasCode(error, "EAFNOSUPPORT");
}

function listenError(error: unknown, host: string, port: number): ListenError {
  if (hasCode(error, "EADDRINUSE")) {
    return new ListenError(
      `Port ${port} is in use. Stop the program that uses it, or choose another port: PORT=${port + 1} npm start.`,
      { cause: error },
    );
  }
  if (hasCode(error, "EACCES")) {
    return new ListenError(`No permission to use port ${port}. Choose a port above 1023: PORT=8080 npm start.`, {
      cause: error,
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new ListenError(`Cannot listen on HOST ${host} (${reason}). Use an address of this machine.`, {
    cause: error,
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Answers a request that Node's HTTP parser rejects, before Express sees it. */
function answerInvalidRequest({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const { problem } =
    code === "HPE_HEADER_OVERFLOW"
      ? plainProblem(431, "The path and headers are too large.")
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? plainProblem(408, "The request took too long to arrive.")
        : plainProblem(400, "This is not an HTTP request.");
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
