import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { captionOf, defineBenchmark, type Effort, type Figures, type Target } from "../benchmark.ts";
import { RemoteServer } from "../load/remote-server.ts";
import { lastReadMs, resetAll, startReaderLoad, untilQuiet, untilReceived } from "../load/streams.ts";
import { formatNumber, formatRatio, formatShare } from "../report/table.ts";
import { atLeast } from "../report/verdict.ts";
import { colleagueIds, oursWithColleagues } from "../setup/programs.ts";
import {
  addIfAvailable,
  openBetterSse,
  openNchan,
  openOurs,
  openSocketIo,
  type PushPeer,
} from "../setup/push-peers.ts";
import { RedisProcess } from "../setup/redis-process.ts";

const VIEWERS = 1_000;
const EVENTS = 200;
const HEARTBEAT_INTERVAL_MS = 1_000;
const PAUSE_MS = 200;
/** Bursts of each peer in its turn that count, after one that does not: a process that was idle is slow at first. */
const BURSTS = 3;
/** How many times the deliveries per second of each peer ours has to reach. */
const TARGETS = [25, 15, 12];

type Figure = "rate" | "cpuMicros" | "readerShare";

interface BurstPeer extends PushPeer {
  /** Sends all events to all viewers. */
  send(): void;
  /** Resolves when the next burst can be sent. */
  settle(): Promise<void>;
}

export const burst = defineBenchmark<Figure>({
  name: "burst",
  title: `A burst of ${EVENTS} events to ${formatNumber(VIEWERS)} viewers, compared with peers`,
  connections: 4 * VIEWERS,
  // In the first round frequently used code is compiled.
  rounds: { usual: 3, long: 6, warmUp: 1 },
  async setUp(effort) {
    const { nodeArgs } = effort;
    const viewers = effort.scaled(VIEWERS);
    const redis = await RedisProcess.start();
    const peers = [await openOurPeer(redis, effort, viewers)];
    peers.push(asPeer(await openBetterSse(viewers, nodeArgs)), asPeer(await openSocketIo(redis, viewers, nodeArgs)));
    const notes: string[] = [];
    await addIfAvailable(peers, notes, () => openNchanPeer(viewers));
    return {
      peers: peers.map((peer, index) => ({ name: peer.name, isOurs: index === 0, measure: () => measureTurn(peer) })),
      conclude: async () => ({ notes }),
    };
  },
  report([ours, ...peers], run) {
    const rate = ours.median("rate");
    return {
      names: "server",
      columns: [
        ["deliveries/s", (sample) => sample.median("rate")],
        ["min – max", (sample) => sample.spread("rate")],
        ["ours is", (sample) => formatRatio(rate, sample.median("rate"))],
        ["CPU µs per delivery", (sample) => sample.median("cpuMicros")],
        ["reader busy", (sample) => formatShare(sample.median("readerShare"))],
      ],
      notes: [
        "From sending the cause to the last viewer's read. Ours: one heartbeat of another server, through Redis and the platform. Peers: their own broadcast in a loop; Nchan's publications are pipelined over one connection.",
        "CPU is the server's, for ours including all of Redis's. The reader is a separate process. If it is near 100 %, it is the bottleneck.",
      ],
      targets: peers.map((peer, index): Target => {
        const times = TARGETS[index] ?? 1;
        const label = `target: ${times} × ${peer.name.split(",", 1)[0]}`;
        return {
          ...atLeast(times, `burst, deliveries/s, ours to ${peer.name}`, rate / peer.median("rate")),
          mark: { bar: ours.name, figure: "rate", value: times * peer.median("rate"), label },
        };
      }),
      chart: {
        caption: captionOf({ ...run, rounds: ours.values("rate").length }),
        panels: [
          {
            measure: "deliveries per second",
            better: "more",
            figure: "rate",
            note: (sample) => (sample === ours ? undefined : `ours is ${formatRatio(rate, sample.median("rate"))}`),
          },
        ],
      },
    };
  },
});

async function measureTurn(peer: BurstPeer): Promise<Figures<Figure>> {
  await measure(peer);
  const turns = [];
  for (let count = 0; count < BURSTS; count++) turns.push(await measure(peer));
  return {
    rate: turns.map(({ rate }) => rate),
    cpuMicros: turns.map(({ cpuMicros }) => cpuMicros),
    readerShare: turns.map(({ readerShare }) => readerShare),
  };
}

async function measure({ viewers, send, settle, cpuMs }: BurstPeer): Promise<Record<Figure, number>> {
  const deliveries = viewers.length * EVENTS;
  resetAll(viewers);
  const cpuBefore = await cpuMs();
  const readerLoad = startReaderLoad();
  const startMs = performance.now();
  send();
  await untilReceived(viewers, EVENTS);
  const wallMs = lastReadMs(viewers) - startMs;
  const readerShare = readerLoad(wallMs);
  const usedMs = (await cpuMs()) - cpuBefore;
  await settle();
  return { rate: (1000 * deliveries) / wallMs, cpuMicros: (1000 * usedMs) / deliveries, readerShare };
}

/** One heartbeat of a remote server brings all clients online. Without another one, all leases expire. */
async function openOurPeer(redis: RedisProcess, { nodeArgs }: Effort, viewerCount: number): Promise<BurstPeer> {
  const env = { REDIS_URL: redis.url, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
  const peer = await openOurs(redis, { ...oursWithColleagues(EVENTS), env }, viewerCount, nodeArgs);
  const remote = await RemoteServer.join(redis, HEARTBEAT_INTERVAL_MS);
  return {
    ...peer,
    send: () => void remote.heartbeat(colleagueIds(EVENTS)),
    async settle() {
      await untilReceived(peer.viewers, 2 * EVENTS);
      await untilQuiet(peer.viewers);
      await remote.join();
    },
  };
}

function asPeer(peer: PushPeer): BurstPeer {
  return {
    ...peer,
    send: () => void get({ host: "127.0.0.1", port: peer.port, path: `/burst/${EVENTS}`, agent: false }).end(),
    settle: () => sleep(PAUSE_MS),
  };
}

async function openNchanPeer(viewerCount: number): Promise<BurstPeer> {
  const peer = await openNchan(viewerCount);
  const messageOf = (client: string) => JSON.stringify({ client, status: "ONLINE", since: Date.now() });
  return { ...asPeer(peer), send: () => peer.publisher.publish(colleagueIds(EVENTS).map(messageOf)) };
}
