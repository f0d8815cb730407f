import { randomBytes } from "node:crypto";
import { RawStream } from "../load/raw-stream.ts";
import { openStreams, untilQuiet } from "../load/streams.ts";
import { type Publisher, startNchan } from "../peers/nchan.ts";
import { BETTER_SSE, type PushProgram } from "./programs.ts";
import type { RedisProcess } from "./redis-process.ts";
import { peerFile, startServer } from "./server-process.ts";

/** A server with its viewers, who all receive the same events. */
export interface PushPeer {
  name: string;
  port: number;
  viewers: readonly RawStream[];
  /** Processor time of the server so far; of ours including all of Redis's. */
  cpuMs(): Promise<number>;
}

type NodeArgs = readonly string[];

export async function openOurs(
  redis: RedisProcess,
  program: PushProgram,
  viewerCount: number,
  nodeArgs: NodeArgs,
): Promise<PushPeer> {
  const peer = await openPeer(program, viewerCount, nodeArgs);
  return {
    ...peer,
    name: "ours, through Redis",
    cpuMs: async () => (await peer.cpuMs()) + (await redis.cpuMs()),
  };
}

export function openBetterSse(viewerCount: number, nodeArgs: NodeArgs): Promise<PushPeer> {
  return openPeer(BETTER_SSE, viewerCount, nodeArgs);
}

export async function openSocketIo(redis: RedisProcess, viewerCount: number, nodeArgs: NodeArgs): Promise<PushPeer> {
  const name = "Socket.IO 4.8, Redis Streams adapter";
  const program = { name, file: peerFile("socket-io"), env: { REDIS_URL: redis.url }, watchPath: () => "" };
  return openPeer(program, viewerCount, nodeArgs, openSocketIoStream);
}

/** @throws if it is not available */
export async function openNchan(viewerCount: number): Promise<PushPeer & { publisher: Publisher }> {
  const { port, publisher, cpuMs } = await startNchan();
  const viewers = await openStreams(viewerCount, () => RawStream.open(port, "/watch"));
  await untilQuiet(viewers);
  return { name: "Nchan 1.3, one worker", port, viewers, publisher, cpuMs };
}

/** Adds the peers that `open` starts; without Nchan, whose packages are not available everywhere, adds a note. */
export async function addIfAvailable<P>(peers: P[], notes: string[], open: () => Promise<P>): Promise<void> {
  try {
    peers.push(await open());
  } catch (error) {
    notes.push(`Nchan is not available here and is left out: ${String(error).split("\n", 1)[0]}`);
  }
}

async function openPeer(
  program: PushProgram,
  viewerCount: number,
  nodeArgs: NodeArgs,
  open = (port: number, index: number) => RawStream.open(port, program.watchPath(index)),
): Promise<PushPeer> {
  const { port, cpuMs } = await startServer(program, nodeArgs);
  const viewers = await openStreams(viewerCount, (index) => open(port, index));
  await untilQuiet(viewers);
  return { name: program.name, port, viewers, cpuMs };
}

/** Opens a WebSocket at once, without polling before, and joins the default namespace with a masked text frame. */
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
