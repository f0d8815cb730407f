import { randomBytes } from "node:crypto";
import { BETTER_SSE } from "./contestants.ts";
import { closeAll, openCrowd, untilQuiet } from "./load/crowd.ts";
import { RawStream } from "./load/raw-stream.ts";
import { type Publisher, startNchan } from "./peers/nchan.ts";
import type { Effort } from "./question.ts";
import type { RedisProcess } from "./redis-process.ts";
import { type Contestant, peerProgram, type ServerProcess, startServerProcess } from "./server-process.ts";

/** A server with its viewers, who all see the same people. */
export interface Stand {
  name: string;
  port: number;
  viewers: readonly RawStream[];
  /** So far, of the server's; for ours with all of Redis's. */
  cpuMs(): Promise<number>;
  close(): Promise<void>;
}

/** @param watchPath the stream of each viewer */
export async function openOurs(
  redis: RedisProcess,
  contestant: Contestant,
  viewerCount: number,
  watchPath: (index: number) => string,
  { nodeArgs }: Effort,
): Promise<Stand> {
  const server = await startServerProcess(contestant, nodeArgs);
  const viewers = await openCrowd(viewerCount, (index) => RawStream.open(server.port, watchPath(index)));
  await untilQuiet(viewers);
  return {
    ...standOn(server, viewers),
    name: "ours, through Redis",
    cpuMs: async () => (await server.processorUsage()).cpuMs + (await redis.cpuMs()),
  };
}

export async function openBetterSse(viewerCount: number, { nodeArgs }: Effort): Promise<Stand> {
  const server = await startServerProcess(BETTER_SSE, nodeArgs);
  const viewers = await openCrowd(viewerCount, (index) => RawStream.open(server.port, BETTER_SSE.watchPath(index)));
  await untilQuiet(viewers);
  return { ...standOn(server, viewers), name: BETTER_SSE.name };
}

export async function openSocketIo(redis: RedisProcess, viewerCount: number, { nodeArgs }: Effort): Promise<Stand> {
  const name = "Socket.IO 4.8, Redis Streams adapter";
  const env = { REDIS_URL: redis.server.url };
  const server = await startServerProcess({ name, program: peerProgram("socket-io"), env }, nodeArgs);
  const viewers = await openCrowd(viewerCount, () => openSocketIoStream(server.port));
  await untilQuiet(viewers);
  return { ...standOn(server, viewers), name };
}

/** @throws where it can't be had */
export async function openNchan(viewerCount: number): Promise<Stand & { publisher: Publisher }> {
  const nchan = await startNchan();
  const viewers = await openCrowd(viewerCount, () => RawStream.open(nchan.port, "/watch"));
  await untilQuiet(viewers);
  return {
    name: "Nchan 1.3, one worker",
    port: nchan.port,
    viewers,
    publisher: nchan.publisher,
    cpuMs: nchan.cpuMs,
    async close() {
      closeAll(viewers);
      await nchan.stop();
    },
  };
}

/** What a note says of a Nchan that isn't there. */
export function describeMissingNchan(error: unknown): string {
  return `Nchan can't be had here and is left out: ${String(error).split("\n", 1)[0]}`;
}

function standOn(server: ServerProcess, viewers: readonly RawStream[]): Omit<Stand, "name"> {
  return {
    port: server.port,
    viewers,
    cpuMs: async () => (await server.processorUsage()).cpuMs,
    async close() {
      closeAll(viewers);
      await server.stop();
    },
  };
}

/** Over WebSocket at once, as a client does that is told to; it joins the default namespace with a masked text frame. */
function openSocketIoStream(port: number): Promise<RawStream> {
  const joinNamespace = Buffer.from([0x81, 0x82, 0, 0, 0, 0, ...Buffer.from("40")]);
  const headers = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
  };
  return RawStream.open(port, "/socket.io/?EIO=4&transport=websocket", headers, joinNamespace);
}
