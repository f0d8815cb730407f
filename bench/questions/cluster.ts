import { createConnection, PresenceFunctions, partitionsOf, startTriggerHost } from "@presence/gears";
import { partitionOf } from "@presence/protocol";
import { RedisCluster, RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { barOf, type Panel } from "../charts/chart.ts";
import { redisClientIds, SILENT, sendHeartbeats, untilWorkedOff } from "../load/redis-clients.ts";
import { untilQuiet } from "../load/redis-usage.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { cpuMsOf } from "../redis-process.ts";
import { median } from "../statistics.ts";
import { formatNumber, formatRatio } from "../table.ts";
import { atMost } from "../verdict.ts";

const DEFAULT_LIVE = 120_000;
/** Of each cluster: as many for each primary of two and of three. */
const PARTITIONS = 6;
const ARRIVALS = 30_000;
const SERVER = "server-1";
/** So long that no lease ends while another way has its turn. */
const HEARTBEAT_INTERVAL_MS = 240_000;
/** A third, or half, of the work, and some for what does not divide. */
const LARGEST_SHARES: ReadonlyMap<number, number> = new Map([
  [2, 0.6],
  [3, 0.43],
]);

/** A Redis, or a cluster, that the platform works on. */
interface Way {
  name: string;
  primaries: readonly Redis[];
  /** A connection of each partition. */
  parts: readonly Redis[];
  refreshes: Round[];
  /** Refreshes of one partition after another: no primary has others beside it to share a core and its memory with. */
  unshared: Round[];
  arrivals: Round[];
  unsharedArrivals: Round[];
  stop(): Promise<void>;
}

interface Round {
  clientsPerSecond: number;
  /** Processor time of each primary, in µs for each of all the clients. */
  cpuMicros: number[];
}

export const cluster: Question = {
  name: "cluster",
  title: "One Redis, and clusters of one, two and three primaries",
  connections: () => 100,
  run,
};

async function run({ isLong, live = DEFAULT_LIVE, onProgress }: Effort): Promise<Answer> {
  const rounds = isLong ? 9 : 5;
  const clients = redisClientIds(live);
  const ways: Way[] = [];
  try {
    ways.push(await openRedis());
    for (const primaries of [1, 2, 3]) ways.push(await openCluster(primaries));
    for (const way of ways) {
      onProgress(`bringing ${formatNumber(live)} clients online: ${way.name}`);
      await refresh(way, clients);
    }
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) {
        onProgress(`round ${round + 1} of ${rounds}: ${way.name}`);
        way.refreshes.push(await measure(way, clients));
        way.unshared.push(await measure(way, clients, refreshInTurn));
        way.arrivals.push(await measure(way, newcomers(`at-once-${round}`)));
        way.unsharedArrivals.push(await measure(way, newcomers(`in-turn-${round}`), refreshInTurn));
      }
    }
    return answer(ways, rounds, live);
  } finally {
    for (const way of ways) await way.stop();
  }
}

function newcomers(name: string): string[] {
  return Array.from({ length: ARRIVALS }, (_, index) => `${name}-${index}`);
}

async function openRedis(): Promise<Way> {
  const server = await RedisServer.start();
  return await openWay("one Redis", server.url, [server], () => server.stop());
}

async function openCluster(primaries: number): Promise<Way> {
  const nodes = await RedisCluster.start({ primaries, hasReplicas: false });
  const name = `cluster, ${primaries} ${primaries === 1 ? "primary" : "primaries"}`;
  return await openWay(name, nodes.url, nodes.servers, () => nodes.stop());
}

/** The platform as it runs there: a trigger host for all partitions, and a server that is known to each. */
async function openWay(
  name: string,
  redisUrl: string,
  servers: readonly RedisServer[],
  stopRedis: () => Promise<void>,
): Promise<Way> {
  const primaries = servers.map(({ url }) => new Redis(url, { protocol: 2 }));
  const parts = partitionsOf(redisUrl, PARTITIONS).map((part) => createConnection(redisUrl, "bench", SILENT, part));
  for (const part of parts) {
    await part.connect();
    await (await PresenceFunctions.connect(part, HEARTBEAT_INTERVAL_MS, SILENT)).join(SERVER);
  }
  const host = startTriggerHost({
    redisUrl,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    partitionCount: PARTITIONS,
    logger: SILENT,
  });
  return {
    name,
    primaries,
    parts,
    refreshes: [],
    unshared: [],
    arrivals: [],
    unsharedArrivals: [],
    async stop() {
      await host.stop();
      for (const redis of [...parts, ...primaries]) redis.disconnect();
      await stopRedis();
    },
  };
}

async function measure(way: Way, clients: readonly string[], work = refresh): Promise<Round> {
  const before = await Promise.all(way.primaries.map(cpuMsOf));
  const startMs = performance.now();
  await work(way, clients);
  const tookMs = performance.now() - startMs;
  await Promise.all(way.primaries.map(untilQuiet));
  const after = await Promise.all(way.primaries.map(cpuMsOf));
  return {
    clientsPerSecond: (1000 * clients.length) / tookMs,
    cpuMicros: after.map((cpuMs, index) => (1000 * (cpuMs - (before[index] ?? 0))) / clients.length),
  };
}

/** One heartbeat of each of these, in all partitions at once, until the last is worked off. */
async function refresh(way: Way, clients: readonly string[]): Promise<void> {
  await Promise.all(split(way, clients).map((each) => refreshPart(...each)));
}

async function refreshInTurn(way: Way, clients: readonly string[]): Promise<void> {
  for (const each of split(way, clients)) await refreshPart(...each);
}

async function refreshPart(part: Redis, clients: readonly string[]): Promise<void> {
  await untilWorkedOff(part, (await sendHeartbeats(part, SERVER, clients)).at(-1) ?? "0-0");
}

function split({ parts }: Way, clients: readonly string[]): [Redis, string[]][] {
  const shares = parts.map((part): [Redis, string[]] => [part, []]);
  for (const client of clients) shares[partitionOf(client, parts.length)]?.[1].push(client);
  return shares;
}

function answer(ways: readonly Way[], rounds: number, live: number): Answer {
  const lone = ways[1];
  if (!lone) throw new Error("needs a cluster of one primary.");
  return {
    header: [
      "",
      "refreshed/s",
      "least – most",
      "busiest primary, CPU s per 1 M",
      "of one's",
      "in turn",
      "least – most",
      "of one's",
      "arrivals/s",
      "in turn, CPU s per 1 M",
      "of one's",
    ],
    rows: ways.map(({ name, refreshes, unshared, arrivals, unsharedArrivals }) => [
      name,
      formatNumber(median(refreshes.map(({ clientsPerSecond }) => clientsPerSecond))),
      spread(refreshes.map(({ clientsPerSecond }) => clientsPerSecond)),
      formatNumber(busiest(refreshes)),
      formatRatio(busiest(refreshes), busiest(lone.refreshes)),
      formatNumber(busiest(unshared)),
      spread(unshared.map(({ cpuMicros }) => Math.max(...cpuMicros))),
      formatRatio(busiest(unshared), busiest(lone.unshared)),
      formatNumber(median(arrivals.map(({ clientsPerSecond }) => clientsPerSecond))),
      formatNumber(busiest(unsharedArrivals)),
      formatRatio(busiest(unsharedArrivals), busiest(lone.unsharedArrivals)),
    ]),
    notes: [
      `Clusters have ${PARTITIONS} partitions each, a single Redis has none. The same load on all: ${formatNumber(live)} live clients who are refreshed, then ${formatNumber(ARRIVALS)} who arrive, in entries of at most 500, from the first XADD until a trigger host has worked off the last. Nobody watches.`,
      "Load, trigger host and all primaries share this machine's cores: how many are refreshed each second can't grow past these. What grows with the primaries is what the busiest of them has left: its processor time for the same load, from INFO, all threads, waiting not counted.",
      "In turn: the same load, one partition after another, so that no two primaries want a core at once, as none would on machines of their own. What was aimed at is of this: at once, the share of the busiest changes more from run to run.",
      `Medians of ${rounds} rounds, the ways in turn.`,
    ],
    chart: {
      title: "What is left for the busiest of several primaries to do",
      panels: [
        panelOf(ways, "processor time for a million heartbeats", ({ unshared }) => unshared),
        panelOf(ways, "processor time for a million arrivals", ({ unsharedArrivals }) => unsharedArrivals),
      ],
      caption: `${formatNumber(live)} live, one partition after another. Medians of ${rounds} rounds; thin lines: from the least to the most.`,
    },
    verdicts: ways.slice(2).flatMap(({ primaries: { length }, unshared, unsharedArrivals }) => {
      const target = LARGEST_SHARES.get(length) ?? 1;
      const work = `${length} primaries: the busiest's work`;
      return [
        atMost(target, `${work} for a heartbeat, of one's`, busiest(unshared) / busiest(lone.unshared)),
        atMost(target, `${work} for an arrival, of one's`, busiest(unsharedArrivals) / busiest(lone.unsharedArrivals)),
      ];
    }),
  };
}

function panelOf(ways: readonly Way[], measure: string, roundsOf: (way: Way) => readonly Round[]): Panel {
  const lone = ways[1] ? busiest(roundsOf(ways[1])) : Number.NaN;
  return {
    measure,
    unit: "s",
    better: "less",
    bars: ways.map((way) => {
      const target = LARGEST_SHARES.get(way.primaries.length);
      return barOf(
        way.name,
        roundsOf(way).map(({ cpuMicros }) => Math.max(...cpuMicros)),
        {
          isOurs: true,
          ...(way !== ways[1] && { note: `${formatRatio(busiest(roundsOf(way)), lone)} one's` }),
          ...(target !== undefined && {
            targets: [{ value: target * lone, label: `aimed at: ${target} × one's` }],
          }),
        },
      );
    }),
  };
}

/** Processor time of the primary that has the most to do; µs for each client are seconds for each million. */
function busiest(rounds: readonly Round[]): number {
  return median(rounds.map(({ cpuMicros }) => Math.max(...cpuMicros)));
}

function spread(values: readonly number[]): string {
  return `${formatNumber(Math.min(...values))} – ${formatNumber(Math.max(...values))}`;
}
