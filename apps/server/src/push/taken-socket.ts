import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Emitted by a response when its socket has been taken: HTTP's part in it is over, and its `close` never comes. */
export const TAKEN = "taken";

type Listener = (this: Socket) => void;

/** Those for which there are listeners that stay. */
const EVENTS = ["close", "drain", "end", "error"] as const;

/** Listeners that go with the socket, and not with the request that came over it. */
const ofSockets = new WeakSet<Listener>();

/** Node.js's parser of a connection, as far as it is known here; no part of its public interface. */
interface Parser {
  unconsume(): void;
  remove(): void;
  close(): void;
  [property: string]: unknown;
}

/** As `socket.on`, for a listener that stays where the socket is taken from HTTP. */
export function listenTo(socket: Socket, event: (typeof EVENTS)[number], listener: Listener): void {
  ofSockets.add(listener);
  socket.on(event, listener);
}

/**
 * Takes the socket of a response whose head has gone out of HTTP's hands, so that request, response and parser are freed:
 * for as long as a stream is open they would hold more than all the rest of it. No further request can come over it. This
 * is what Node.js does itself for an `Upgrade`, with the same means.
 *
 * Not to be called from within the parser's own events. Where the request has not been read to its end, or Node.js is
 * made of something else than is known here, nothing is done, and the socket can be written to all the same.
 *
 * Source: https://github.com/nodejs/node/blob/v20.x/lib/_http_server.js (`onParserExecuteCommon`)
 */
export function takeSocket(response: ServerResponse, socket: Socket): void {
  const { parser } = socket as Socket & { parser?: unknown };
  if (socket.destroyed || response.socket !== socket || !response.req.complete || !isParser(parser)) return;
  response.detachSocket(socket);
  const kept = EVENTS.map((event) =>
    (socket.rawListeners(event) as Listener[]).filter((listener) => ofSockets.has(listener)),
  );
  // What Node.js listens to for HTTP's sake, and the socket for its own: a stream that only goes out needs none of it.
  socket.removeAllListeners();
  parser.unconsume();
  for (const property of Object.keys(parser)) {
    const value = parser[property];
    if (typeof value === "object" || typeof value === "function") parser[property] = null;
  }
  parser.remove();
  parser.close();
  Object.assign(socket, { parser: null });
  // To be called after that: seeing no parser, the socket drops its own ways of listening that were HTTP's.
  EVENTS.forEach((event, index) => {
    for (const listener of kept[index] ?? []) socket.on(event, listener);
  });
  // What is still said by the other side is nothing that anybody waits for, but that it leaves.
  socket.resume();
  response.emit(TAKEN);
}

function isParser(value: unknown): value is Parser {
  if (typeof value !== "object" || value === null) return false;
  const parser: Record<string, unknown> = value as Record<string, unknown>;
  return [parser["unconsume"], parser["remove"], parser["close"]].every((method) => typeof method === "function");
}
