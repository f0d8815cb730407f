import { randomBytes } from "node:crypto";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { barOf } from "../charts/chart.ts";
import { BETTER_SSE, colleagueId, oursWithColleagues } from "../contestants.ts";
import { closeAll, lastReadMs, openCrowd, resetAll, untilQuiet, untilTold } from "../load/crowd.ts";
import { OtherServer } from "../load/other-server.ts";
import { RawStream } from "../load/raw-stream.ts";
import { startNchan } from "../peers/nchan.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { peerProgram, type ServerProcess, startServerProcess } from "../server-process.ts";
import { median } from "../statistics.ts";
import { formatNumber, formatRatio } from "../table.ts";
import { atLeast } from "../verdict.ts";

const VIEWERS = 1_000;
const EVENTS = 200;
const DELIVERIES = VIEWERS * EVENTS;
const HEARTBEAT_INTERVAL_MS = 1_000;
const PAUSE_MS = 200;
/** How often each is asked in its turn, beside once that doesn't count: who was idle is cold. */
const ROUNDS_PER_TURN = 3;

/** A server with its viewers, ready for a round. */
interface Stand {
  name: string;
  /** How many times the peer's deliveries per second ours are to be. */
  target?: number;
  viewers: readonly RawStream[];
  /** Has all viewers told of all events. */
  burst(): void;
  /** Resolves when another burst may follow. */
  settle(): Promise<void>;
  cpuMs(): Promise<number>;
  close(): Promise<void>;
}

interface Round {
  deliveriesPerSecond: number;
  cpuMicrosPerDelivery: number;
  readerLoad: number;
}

export const burst: Question = {
  name: "burst",
  title: `A burst of ${EVENTS} events to ${formatNumber(VIEWERS)} viewers, beside peers`,
  connections: () => 4 * VIEWERS,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const redis = await RedisProcess.start();
  const stands: Stand[] = [];
  const notes: string[] = [];
  try {
    stands.push(await openOurs(redis, effort), await openBetterSse(effort), await openSocketIo(redis, effort));
    try {
      stands.push(await openNchan());
    } catch (error) {
      notes.push(`Nchan can't be had here and is left out: ${String(error).split("\n", 1)[0]}`);
    }
    const measured = stands.map((stand) => ({ stand, rounds: [] as Round[] }));
    const turns = effort.isLong ? 6 : 3;
    // The first turn warms up: code that has run often enough is compiled.
    for (let turn = 0; turn <= turns; turn++) {
      for (const { stand, rounds } of measured) {
        effort.onProgress(`turn ${turn} of ${turns}: ${stand.name}`);
        await measure(stand);
        for (let round = 0; round < ROUNDS_PER_TURN; round++) {
          const figures = await measure(stand);
          if (turn > 0) rounds.push(figures);
        }
      }
    }
    return answer(measured, notes);
  } finally {
    for (const stand of stands) await stand.close();
    await redis.stop();
  }
}

async function measure({ viewers, burst, settle, cpuMs }: Stand): Promise<Round> {
  resetAll(viewers);
  const cpuBefore = await cpuMs();
  const readerBefore = process.cpuUsage();
  const startMs = performance.now();
  burst();
  await untilTold(viewers, EVENTS);
  const reader = process.cpuUsage(readerBefore);
  const serverMs = (await cpuMs()) - cpuBefore;
  const wallMs = lastReadMs(viewers) - startMs;
  await settle();
  return {
    deliveriesPerSecond: (DELIVERIES / wallMs) * 1000,
    cpuMicrosPerDelivery: (serverMs / DELIVERIES) * 1000,
    readerLoad: (reader.user + reader.system) / 1000 / wallMs,
  };
}

/** Another server's clients begin to live, and no heartbeat follows: ONLINE of all of them, in time OFFLINE of all of them. */
async function openOurs(redis: RedisProcess, { nodeArgs }: Effort): Promise<Stand> {
  const contestant = oursWithColleagues(EVENTS);
  const env = { REDIS_URL: redis.server.url, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
  const server = await startServerProcess({ ...contestant, env }, nodeArgs);
  const viewers = await openCrowd(VIEWERS, (index) => RawStream.open(server.port, contestant.watchPath(index)));
  await untilQuiet(viewers);
  const clients = Array.from({ length: EVENTS }, (_, index) => colleagueId(index));
  const elsewhere = await OtherServer.join(redis, HEARTBEAT_INTERVAL_MS);
  return {
    ...standOn(server, viewers),
    name: "ours, through Redis",
    burst: () => void elsewhere.heartbeat(clients),
    async settle() {
      await untilTold(viewers, 2 * EVENTS);
      await untilQuiet(viewers);
      await elsewhere.join();
    },
    cpuMs: async () => (await server.processorUsage()).cpuMs + (await redis.cpuMs()),
  };
}

async function openBetterSse({ nodeArgs }: Effort): Promise<Stand> {
  const server = await startServerProcess(BETTER_SSE, nodeArgs);
  const viewers = await openCrowd(VIEWERS, (index) => RawStream.open(server.port, BETTER_SSE.watchPath(index)));
  await untilQuiet(viewers);
  return { ...standOn(server, viewers), name: BETTER_SSE.name, target: 25 };
}

async function openSocketIo(redis: RedisProcess, { nodeArgs }: Effort): Promise<Stand> {
  const name = "Socket.IO 4.8, Redis Streams adapter";
  const env = { REDIS_URL: redis.server.url };
  const server = await startServerProcess({ name, program: peerProgram("socket-io"), env }, nodeArgs);
  const viewers = await openCrowd(VIEWERS, () => openSocketIoStream(server.port));
  await untilQuiet(viewers);
  return { ...standOn(server, viewers), name, target: 15 };
}

async function openNchan(): Promise<Stand> {
  const nchan = await startNchan();
  const viewers = await openCrowd(VIEWERS, () => RawStream.open(nchan.port, "/watch"));
  await untilQuiet(viewers);
  return {
    name: "Nchan 1.3, one worker",
    target: 12,
    viewers,
    burst: () => nchan.publish(Array.from({ length: EVENTS }, (_, index) => messageOf(colleagueId(index)))),
    settle: () => sleep(PAUSE_MS),
    cpuMs: nchan.cpuMs,
    async close() {
      closeAll(viewers);
      await nchan.stop();
    },
  };
}

function standOn(server: ServerProcess, viewers: readonly RawStream[]): Omit<Stand, "name"> {
  return {
    viewers,
    burst: () => void get({ host: "127.0.0.1", port: server.port, path: `/burst/${EVENTS}`, agent: false }).end(),
    settle: () => sleep(PAUSE_MS),
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

function messageOf(client: string): string {
  return JSON.stringify({ client, status: "ONLINE", since: Date.now() });
}

function answer(measured: readonly { stand: Stand; rounds: readonly Round[] }[], notes: readonly string[]): Answer {
  const results = measured.map(({ stand, rounds }) => {
    const valuesOf = (figure: keyof Round) => rounds.map((round) => round[figure]);
    const rates = valuesOf("deliveriesPerSecond");
    return {
      ...stand,
      rates,
      rate: median(rates),
      spread: `${formatNumber(Math.min(...rates))} – ${formatNumber(Math.max(...rates))}`,
      cpu: median(valuesOf("cpuMicrosPerDelivery")),
      readerLoad: median(valuesOf("readerLoad")),
    };
  });
  const ours = results[0]?.rate ?? Number.NaN;
  const targets = results.flatMap(({ name, rate, target }) =>
    target === undefined ? [] : [{ value: target * rate, label: `aimed at: ${target} × ${name.split(",", 1)[0]}` }],
  );
  const bars = results.map(({ name, rates, rate }, index) =>
    index === 0
      ? barOf(name, rates, { isOurs: true, targets })
      : barOf(name, rates, { note: `ours is ${formatRatio(ours, rate)}` }),
  );
  return {
    header: ["server", "deliveries/s", "least – most", "ours is", "CPU µs each", "reader busy"],
    rows: results.map(({ name, rate, spread, cpu, readerLoad }) => [
      name,
      formatNumber(rate),
      spread,
      formatRatio(ours, rate),
      formatNumber(cpu),
      `${Math.round(100 * readerLoad)} %`,
    ]),
    notes: [
      "From the cause's way to the server to the last viewer's read. Ours: one heartbeat of another server, through Redis and the platform. Peers: their own broadcast, in a loop; Nchan's publications come pipelined over one connection.",
      "CPU is the server's, for ours with all of Redis's. The reader is a process of its own; where it is near 100 %, it is the bottleneck, and the server could do more.",
      ...notes,
    ],
    chart: {
      title: burst.title,
      panels: [{ measure: "deliveries per second", better: "more", bars }],
      caption: `Medians of ${measured[0]?.rounds.length} rounds; thin lines: from the least to the most.`,
    },
    verdicts: results.flatMap(({ name, rate, target }) =>
      target === undefined ? [] : [atLeast(target, `burst, deliveries/s, of ${name}`, ours / rate)],
    ),
  };
}
