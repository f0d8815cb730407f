import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Emitted by a response whose socket was detached. The response is done for HTTP, and emits no `close`. */
export const TAKEN = "taken";

type Listener = (this: Socket) => void;

const EVENTS = ["close", "drain", "end", "error"] as const;

/** Listeners added with `listenTo`, which stay on the socket when it is detached. */
const keptListeners = new WeakSet<Listener>();

/** Node.js's internal HTTP parser of a connection, as far as it is used here. Not part of the public API. */
interface Parser {
  unconsume(): void;
  remove(): void;
  close(): void;
  [property: string]: unknown;
}

/** Like `socket.on`, for a listener that stays when the socket is detached. */
export function listenTo(socket: Socket, event: (typeof EVENTS)[number], listener: Listener): void {
  keptListeners.add(listener);
  socket.on(event, listener);
}

/**
 * Detaches the socket of a response from Node.js's HTTP server after the head was sent. Then the garbage collector can free
 * the request, the response and the parser. While a stream is open, they would need more memory than the rest of it.
 *
 * Uses private internals of Node.js: `socket.parser`, the parser's methods `unconsume`, `remove` and `close`, and its
 * object properties (its references to request, response and callbacks), which are set to `null`. Node.js does the same
 * for an `Upgrade` request. The connection cannot carry another request afterwards.
 *
 * Does nothing if the request body was not read completely, or if the internals are not as expected. The socket can be
 * written to in any case. Must not be called inside a callback of the parser.
 *
 * Source: https://github.com/nodejs/node/blob/v20.x/lib/_http_server.js (`onParserExecuteCommon`)
 */
export function takeSocket(response: ServerResponse, socket: Socket): void {
  const { parser } = socket as Socket & { parser?: unknown };
  if (socket.destroyed || response.socket !== socket || !response.req.complete || !isParser(parser)) return;
  response.detachSocket(socket);
  const kept = EVENTS.map((event) =>
    (socket.rawListeners(event) as Listener[]).filter((listener) => keptListeners.has(listener)),
  );
  // Listeners of the HTTP server, and of the socket itself: a write-only stream needs none of them.
  socket.removeAllListeners();
  parser.unconsume();
  for (const property of Object.keys(parser)) {
    const value = parser[property];
    if (typeof value === "object" || typeof value === "function") parser[property] = null;
  }
  parser.remove();
  parser.close();
  Object.assign(socket, { parser: null });
  // Only now: called without a parser, the `on` that the HTTP server installed restores the socket's original one.
  EVENTS.forEach((event, index) => {
    for (const listener of kept[index] ?? []) socket.on(event, listener);
  });
  // Discards further input, so that `end` is emitted when the reader closes the connection.
  socket.resume();
  response.emit(TAKEN);
}

function isParser(value: unknown): value is Parser {
  if (typeof value !== "object" || value === null) return false;
  const parser: Record<string, unknown> = value as Record<string, unknown>;
  return [parser["unconsume"], parser["remove"], parser["close"]].every((method) => typeof method === "function");
}
