import { randomBytes } from "node:crypto";
import type { Run } from "../benchmark.ts";
import { RawStream } from "../load/raw-stream.ts";
import { openStreams, untilQuiet } from "../load/streams.ts";
import { type Publisher, startNchan } from "../peers/nchan.ts";
import { BETTER_SSE, type PushProgram, SOCKET_IO } from "./programs.ts";
import type { RedisProcess } from "./redis-process.ts";
import { startServer } from "./server-process.ts";

/** A server with its viewers, who all receive the same events. */
export interface PushPeer {
  name: string;
  port: number;
  viewers: readonly RawStream[];
  /** Processor time of the server so far; of ours including all of Redis's. */
  cpuMs(): Promise<number>;
  /** Of Nchan, which does not send events itself. */
  publisher?: Publisher;
}

export async function openOurs(redis: RedisProcess, program: PushProgram, viewerCount: number): Promise<PushPeer> {
  const peer = await openPeer(program, viewerCount);
  return { ...peer, name: "ours, through Redis", cpuMs: redis.cpuMsWith(peer) };
}

/** Opens better-sse, Socket.IO and Nchan. Without Nchan, whose packages are not available everywhere, adds a note. */
export async function openPeers(run: Run, redis: RedisProcess, viewerCount: number): Promise<PushPeer[]> {
  const socketIo = { ...SOCKET_IO, env: { REDIS_URL: redis.url } };
  const peers = [await openPeer(BETTER_SSE, viewerCount), await openPeer(socketIo, viewerCount, openSocketIoStream)];
  try {
    const nchan = await startNchan();
    const viewers = await openViewers(viewerCount, () => RawStream.open(nchan.port, "/watch"));
    peers.push({ ...nchan, name: "Nchan 1.3, one worker", viewers });
  } catch (error) {
    run.notes.push(`Nchan is not available here and is left out: ${String(error).split("\n", 1)[0]}`);
  }
  return peers;
}

async function openPeer(
  program: PushProgram,
  viewerCount: number,
  open = (port: number, index: number) => RawStream.open(port, program.watchPath(index)),
): Promise<PushPeer> {
  const { port, cpuMs } = await startServer(program);
  return { name: program.name, port, cpuMs, viewers: await openViewers(viewerCount, (index) => open(port, index)) };
}

async function openViewers(count: number, open: (index: number) => Promise<RawStream>): Promise<RawStream[]> {
  const viewers = await openStreams(count, open);
  await untilQuiet(viewers);
  return viewers;
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
