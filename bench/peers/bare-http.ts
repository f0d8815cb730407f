import type { ServerResponse } from "node:http";
import { servePeer } from "./serve-peer.ts";

/** `node:http` without a library: one `res.write` for each event and connection. */
const viewers = new Set<ServerResponse>();

servePeer({
  open(_request, response) {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.flushHeaders();
    viewers.add(response);
    response.on("close", () => viewers.delete(response));
  },
  broadcast(message) {
    for (const viewer of viewers) viewer.write(`event: presence\ndata: ${JSON.stringify(message)}\n\n`);
  },
});
