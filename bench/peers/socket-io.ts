import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";
import { servePeer } from "./serve-peer.ts";

/** Socket.IO over WebSocket, with its Redis Streams adapter. No client is pinged during the measurement. */
const NO_PING_MS = 3_600_000;
const io = new Server({
  adapter: createAdapter(new Redis(process.env["REDIS_URL"] ?? "", { protocol: 2 })),
  transports: ["websocket"],
  pingInterval: NO_PING_MS,
});

servePeer({
  attach: (server) => void io.attach(server),
  open: (_request, response) => void response.writeHead(404).end(),
  broadcast: (message) => void io.emit("presence", message),
});
