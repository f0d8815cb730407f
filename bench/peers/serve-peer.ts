import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { colleagueId } from "../load/colleagues.ts";
import { sendAtPace } from "../load/schedule.ts";

/** How a peer sends events. */
export interface PeerPush {
  /** Attaches a handler of its own to the server, for protocols other than SSE. */
  attach?(server: Server): void;
  /** Opens a stream. */
  open(request: IncomingMessage, response: ServerResponse): void;
  /** Sends a message to all viewers. */
  broadcast(message: PeerMessage): void;
}

export interface PeerMessage {
  client: string;
  status: "ONLINE" | "OFFLINE";
  since: number;
}

/**
 * A minimal presence server: `/watch` is a stream of all events. `/burst/{count}` sends so many events at once.
 * `/steady/{count}/{perSecond}` sends them evenly over time, and answers with the time of the first. There are no contact
 * lists, no resume, and no limit on what is buffered for a slow reader.
 */
export function servePeer(push: PeerPush): void {
  const server = createServer((request, response) => {
    if (!broadcastOnRequest(push, request, response)) push.open(request, response);
  });
  push.attach?.(server);
  server.listen({ port: Number(process.env["PORT"] ?? 0), host: "127.0.0.1" }, () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`{"port":${port}}\n`);
  });
  process.on("SIGTERM", () => process.exit());
}

/** @returns whether the request was for a broadcast */
function broadcastOnRequest(push: PeerPush, { url = "" }: IncomingMessage, response: ServerResponse): boolean {
  const [, burst] = /^\/burst\/(\d+)$/.exec(url) ?? [];
  const [, count, perSecond] = /^\/steady\/(\d+)\/(\d+)$/.exec(url) ?? [];
  const send = (index: number, atMs: number) =>
    push.broadcast({ client: colleagueId(index), status: "ONLINE", since: Math.floor(atMs) });
  if (burst !== undefined) {
    for (let index = 0; index < Number(burst); index++) send(index, Date.now());
    response.writeHead(204).end();
  } else if (count !== undefined) {
    const { startMs } = sendAtPace({ count: Number(count), perSecond: Number(perSecond) }, send);
    response.end(JSON.stringify({ startMs }));
  } else return false;
  return true;
}
