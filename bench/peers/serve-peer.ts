import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pace } from "../load/pace.ts";
import { TimerLeases } from "./timer-leases.ts";

/** How a peer pushes: the one thing in which peers differ. */
export interface PeerPush {
  /** Takes its own kind of connections from the server, where that isn't SSE. */
  attach?(server: Server): void;
  /** Answers with an event stream. */
  open(request: IncomingMessage, response: ServerResponse, watches: boolean): void;
  /** Sends one presence message to all who watch. */
  broadcast(message: PeerMessage): void;
}

export interface PeerMessage {
  client: string;
  status: "ONLINE" | "OFFLINE";
  since: number;
}

/**
 * The least presence server that can be compared: `/watch` is told of everyone, `/events/{id}` is a client that others
 * are told of and that itself is told nothing; `/burst/{count}` tells of so many changes at once, and
 * `/steady/{count}/{perSecond}` of so many one after another, and answers at once when the first was due. No contact lists, no resume, no bound on what waits for a slow reader.
 */
export function servePeer(push: PeerPush): void {
  const leases = new TimerLeases(Number(process.env["HEARTBEAT_INTERVAL_MS"] ?? 5000), (client) => {
    push.broadcast({ client, status: "OFFLINE", since: Date.now() });
  });
  const server = createServer((request, response) => {
    if (broadcastAsked(push, request, response)) return;
    const [, client] = /^\/events\/([^/]+)$/.exec(request.url ?? "") ?? [];
    push.open(request, response, client === undefined);
    if (client === undefined) return;
    response.on("close", () => leases.disconnect(client));
    if (leases.connect(client)) push.broadcast({ client, status: "ONLINE", since: Date.now() });
  });
  push.attach?.(server);
  server.listen({ port: Number(process.env["PORT"] ?? 0), host: "127.0.0.1" }, () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`{"port":${port}}\n`);
  });
  process.on("SIGTERM", () => process.exit());
}

/** @returns whether it was changes that were asked for */
function broadcastAsked(push: PeerPush, { url = "" }: IncomingMessage, response: ServerResponse): boolean {
  const [, burst] = /^\/burst\/(\d+)$/.exec(url) ?? [];
  const [, count, perSecond] = /^\/steady\/(\d+)\/(\d+)$/.exec(url) ?? [];
  const tellOf = (index: number, at: number) =>
    push.broadcast({ client: colleagueId(index + 1), status: "ONLINE", since: Math.floor(at) });
  if (burst !== undefined) {
    for (let index = 0; index < Number(burst); index++) tellOf(index, Date.now());
    response.writeHead(204).end();
  } else if (count !== undefined) {
    const { startMs } = pace({ count: Number(count), perSecond: Number(perSecond) }, tellOf);
    response.end(JSON.stringify({ startMs }));
  } else return false;
  return true;
}

/** Named as long as ours are, so that each message has as many bytes. */
function colleagueId(index: number): string {
  return `colleague-${String(index).padStart(5, "0")}`;
}
