import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
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
 * are told of and that itself is told nothing; `/burst/{count}` tells of so many changes at once. No contact lists, no resume, no bound on what waits for a slow reader.
 */
export function servePeer(push: PeerPush): void {
  const leases = new TimerLeases(Number(process.env["HEARTBEAT_INTERVAL_MS"] ?? 5000), (client) => {
    push.broadcast({ client, status: "OFFLINE", since: Date.now() });
  });
  const server = createServer((request, response) => {
    const [, count] = /^\/burst\/(\d+)$/.exec(request.url ?? "") ?? [];
    if (count !== undefined) {
      for (let index = 1; index <= Number(count); index++) {
        push.broadcast({ client: colleagueId(index), status: "ONLINE", since: Date.now() });
      }
      response.writeHead(204).end();
      return;
    }
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

/** Named as long as ours are, so that each message has as many bytes. */
function colleagueId(index: number): string {
  return `colleague-${String(index).padStart(5, "0")}`;
}
