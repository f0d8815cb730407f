import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Redis } from "ioredis";

/** The shortest path from an entry of a stream to a reader: a blocked `XREAD`, and one write to each socket. */
const KEY = "bridge";
const BLOCK_MS = 500;
const sockets = new Set<Socket>();

const server = createServer(({ socket }) => {
  socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
});

server.listen({ port: Number(process.env["PORT"] ?? 0), host: "127.0.0.1" }, () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`{"port":${port}}\n`);
});
process.on("SIGTERM", () => process.exit());

const redis = new Redis(process.env["REDIS_URL"] ?? "", { protocol: 2 });
for (let cursor = "$"; ; ) {
  const reply = await redis.xread("BLOCK", BLOCK_MS, "STREAMS", KEY, cursor);
  for (const [id, fields] of reply?.[0]?.[1] ?? []) {
    cursor = id;
    const frame = `id: ${id}\nevent: presence\ndata: ${fields[1]}\n\n`;
    for (const socket of sockets) socket.write(frame);
  }
}
