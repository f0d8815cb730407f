import type { ServerResponse } from "node:http";
import { servePeer } from "./serve-peer.ts";

/** `node:http` and nothing else: one `res.write` for each event and connection. */
const watchers = new Set<ServerResponse>();
let lastId = 0;
const snapshotContacts = Number(process.env["SNAPSHOT_CONTACTS"] ?? 0);

servePeer({
  open(_request, response, watches) {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.flushHeaders();
    if (snapshotContacts > 0) response.write(frame("snapshot", snapshot(snapshotContacts)));
    if (!watches) return;
    watchers.add(response);
    response.on("close", () => watchers.delete(response));
  },
  broadcast(message) {
    const text = frame("presence", message);
    for (const watcher of watchers) watcher.write(text);
  },
});

function frame(event: string, data: object): string {
  lastId += 1;
  return `id: ${lastId}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function snapshot(count: number): object {
  const contacts = Array.from({ length: count }, (_, index) => ({
    client: `colleague-${String(index + 1).padStart(5, "0")}`,
    status: "OFFLINE",
    since: 0,
  }));
  return { at: Date.now(), contacts };
}
