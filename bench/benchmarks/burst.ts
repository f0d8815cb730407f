import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { defineBenchmark } from "../benchmark.ts";
import { colleagueIds } from "../load/colleagues.ts";
import { joinRemoteServer } from "../load/heartbeats.ts";
import { lastReadMs, measureUsage, resetAll, untilQuiet, untilReceived } from "../load/streams.ts";
import { formatNumber, formatShare } from "../report/table.ts";
import { atLeast } from "../report/verdict.ts";
import { oursWithColleagues } from "../setup/programs.ts";
import { openOurs, openPeers, type PushPeer } from "../setup/push-peers.ts";
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

export const burst = defineBenchmark<Figure, BurstPeer>({
  name: "burst",
  title: `A burst of ${EVENTS} events to ${formatNumber(VIEWERS)} viewers, compared with peers`,
  connections: 4 * VIEWERS,
  // In the first round frequently used code is compiled.
  rounds: { usual: 3, long: 6, warmUp: 1 },
  async setUp(run) {
    const viewers = run.scaled(VIEWERS);
    const redis = await RedisProcess.start();
    return [await openOurPeer(redis, viewers), ...(await openPeers(run, redis, viewers)).map(asPeer)];
  },
  async measure(_, peer) {
    await measureBurst(peer);
    const bursts: Record<Figure, number>[] = [];
    for (let count = 0; count < BURSTS; count++) bursts.push(await measureBurst(peer));
    const all = (figure: Figure) => bursts.map((each) => each[figure]);
    return { rate: all("rate"), cpuMicros: all("cpuMicros"), readerShare: all("readerShare") };
  },
  report([ours, ...peers], run) {
    return {
      names: "server",
      columns: [
        ["deliveries/s", "rate"],
        ["min – max", (sample) => sample.spread("rate")],
        ["ours is", (sample) => ours.ratio("rate", sample)],
        ["CPU µs per delivery", "cpuMicros"],
        ["reader busy", (sample) => formatShare(sample.median("readerShare"))],
      ],
      notes: [
        "From sending the cause to the last viewer's read. Ours: one heartbeat of another server, through Redis and the platform. Peers: their own broadcast in a loop; Nchan's publications are pipelined over one connection.",
        "CPU is the server's, for ours including all of Redis's. The reader is a separate process. If it is near 100 %, it is the bottleneck.",
      ],
      targets: peers.map((peer, index) => {
        const [shortName = ""] = peer.name.split(",", 1);
        return ours.target(
          atLeast,
          TARGETS[index] ?? 1,
          `burst, deliveries/s, ours to ${peer.name}`,
          "rate",
          peer,
          shortName,
        );
      }),
      chart: {
        caption: run.caption(),
        panels: [
          {
            measure: "deliveries per second",
            better: "more",
            figure: "rate",
            note: (sample) => (sample === ours ? undefined : `ours is ${ours.ratio("rate", sample)}`),
          },
        ],
      },
    };
  },
});

async function measureBurst({ viewers, send, settle, cpuMs }: BurstPeer): Promise<Record<Figure, number>> {
  const deliveries = viewers.length * EVENTS;
  resetAll(viewers);
  const { wallMs, usedMs, readerShare } = await measureUsage(cpuMs, async () => {
    const startMs = performance.now();
    send();
    await untilReceived(viewers, EVENTS);
    return lastReadMs(viewers) - startMs;
  });
  await settle();
  return { rate: (1000 * deliveries) / wallMs, cpuMicros: (1000 * usedMs) / deliveries, readerShare };
}

/** One heartbeat of a remote server brings all clients online. Without another one, all leases expire. */
async function openOurPeer(redis: RedisProcess, viewerCount: number): Promise<BurstPeer> {
  const program = { ...oursWithColleagues(EVENTS), env: redis.env(HEARTBEAT_INTERVAL_MS) };
  const peer = await openOurs(redis, program, viewerCount);
  const remote = await joinRemoteServer(redis, HEARTBEAT_INTERVAL_MS);
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
  const { port, publisher } = peer;
  const messageOf = (client: string) => JSON.stringify({ client, status: "ONLINE", since: Date.now() });
  return {
    ...peer,
    send: publisher
      ? () => publisher.publish(colleagueIds(EVENTS).map(messageOf))
      : () => void get({ host: "127.0.0.1", port, path: `/burst/${EVENTS}`, agent: false }).end(),
    settle: () => sleep(PAUSE_MS),
  };
}
