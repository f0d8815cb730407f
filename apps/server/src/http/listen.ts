import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import type { Socket } from "node:net";
import { plainProblem } from "./http-problem.ts";

/**
 * How many connections may wait to be accepted. When thousands come back at once, the usual 511 overflows, and whom it
 * has no room for is silent for a second or more.
 */
const LISTEN_BACKLOG = 4096;
/** Who opens a socket and asks for nothing holds it for no longer than this; Node.js gives a minute. */
const HEADERS_TIMEOUT_MS = 15_000;

export interface Listening {
  /** The port in use, the same on each address. */
  port: number;
  /** Stops accepting, then waits for open requests to end. */
  close(): Promise<void>;
}

/** A port or address that can't be had; the message says what to do, in one line. */
export class ListenError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ListenError";
  }
}

export interface ListenOptions {
  hosts: readonly string[];
  /** 0 for any free one. */
  port: number;
  /** Told of each socket that is opened. */
  onSocket?: (socket: Socket) => void;
  /** How Node.js makes its requests and responses. */
  http?: ServerOptions;
}

/**
 * Serves `listener` on each of `hosts`. An address that this machine doesn't have is left out if another one is there
 * (many have no IPv6).
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
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => answerUnreadable(error, socket));
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
 * Node's own `closeIdleConnections` overlooks sockets on which nothing was asked yet, as browsers open them in advance,
 * and those that turn idle while the server is closing: each would hold up the end for seconds.
 *
 * @returns a function that closes the sockets on which nothing is being asked; the others close after their answers
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
      `Port ${port} is in use. Stop what runs there, or choose another port: PORT=${port + 1} npm start.`,
      { cause: error },
    );
  }
  if (hasCode(error, "EACCES")) {
    return new ListenError(`Port ${port} is not yours to use. Choose one above 1023: PORT=8080 npm start.`, {
      cause: error,
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new ListenError(`HOST ${host} can't be listened on (${reason}). Use an address of this machine.`, {
    cause: error,
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Answers what is no readable request at all, before any route sees it. */
function answerUnreadable({ code }: NodeJS.ErrnoException, socket: Socket): void {
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
