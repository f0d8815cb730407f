import { fileURLToPath } from "node:url";
import { type Program, peerFile } from "./server-process.ts";

/** A server, and the path of each viewer's stream. `/events/{id}` is a client of each server. */
export interface PushProgram extends Program {
  watchPath(index: number): string;
}

/** Clients of the built-in roster; each can have any number of connections. */
const ROSTER = ["anouk", "magali", "omar"];
/** The roster counts as contacts too, so that `--contacts` has to be larger than the number of colleagues. */
const ROSTER_MARGIN = 50;

/** The realtime server as it is built and shipped. */
export const OURS: PushProgram = {
  name: "ours",
  file: fileURLToPath(new URL("../../apps/server/dist/main.js", import.meta.url)),
  watchPath: (index) => `/events/${ROSTER[index % ROSTER.length]}`,
};

/** Our server with at least `count` colleagues. Everyone in the built-in roster sees them; each has 32 contacts. */
export function oursWithColleagues(count: number): PushProgram {
  return { ...OURS, args: ["--contacts", String(count + ROSTER_MARGIN)] };
}

export const BARE_HTTP = peerProgram("node:http", "bare-http");

export const BETTER_SSE = peerProgram("better-sse 0.16, channel", "better-sse");

/** Sends each entry of the Redis stream `bridge` to all its connections. */
export const BARE_BRIDGE = peerProgram("bare bridge", "bare-bridge");

export const SOCKET_IO = peerProgram("Socket.IO 4.8, Redis Streams adapter", "socket-io");

function peerProgram(name: string, file: string): PushProgram {
  return { name, file: peerFile(file), watchPath: () => "/watch" };
}
