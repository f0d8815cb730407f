import { createConnection, partitionsOf } from "@presence/gears";
import { partitionOf } from "@presence/protocol";
import { RedisCluster, RedisServer } from "@presence/testkit";
import type { Redis } from "ioredis";
import { defineBenchmark, type Run, type Sample } from "../benchmark.ts";
import { clientIds, joinServers, refresh, SILENT, startHost } from "../load/heartbeats.ts";
import { untilIdle } from "../load/redis-usage.ts";
import { formatNumber } from "../report/table.ts";
import { atMost } from "../report/verdict.ts";
import { connectTo, cpuMsOf } from "../setup/redis-process.ts";
import { onScopeEnd } from "../setup/scope.ts";

const LIVE = 120_000;
/** In each cluster: a multiple of two and of three primaries. */
const PARTITIONS = 6;
const ARRIVALS = 30_000;
const SERVER = "server-1";
/** So long that no lease ends while the others have their turns. */
const HEARTBEAT_INTERVAL_MS = 240_000;
/** A half, or a third, of the work, plus the part that cannot be divided. By the position among the peers. */
const TARGETS = [
  { peer: 2, primaries: 2, share: 0.6 },
  { peer: 3, primaries: 3, share: 0.43 },
];

/** A Redis or a cluster on which the platform runs. */
interface Deployment {
  name: string;
  isOurs: true;
  primaries: readonly Redis[];
  /** A connection for each partition. */
  partitions: readonly Redis[];
}

/**
 * `…Rate`: clients per second. `…Cpu`: processor time of the busiest primary, µs per client, which is seconds per million
 * clients. `inTurn…`: one partition after another, so that primaries do not compete for a core.
 */
type Figure =
  | "refreshRate"
  | "refreshCpu"
  | "inTurnRefreshCpu"
  | "arrivalRate"
  | "inTurnArrivalCpu"
  | "live"
  | "arrivals";

const PANELS = [
  { figure: "inTurnRefreshCpu", event: "heartbeat" },
  { figure: "inTurnArrivalCpu", event: "arrival" },
] as const;

export const cluster = defineBenchmark<Figure, Deployment>({
  name: "cluster",
  title: "One Redis, and clusters with one, two and three primaries",
  connections: 100,
  rounds: { usual: 5, long: 9 },
  async setUp(run) {
    const clients = clientIds(run.liveClients(LIVE));
    const deployments = [await startRedis()];
    for (const primaries of [1, 2, 3]) deployments.push(await startCluster(primaries));
    for (const deployment of deployments) await refreshAll(deployment, clients);
    return deployments;
  },
  measure: measureAll,
  report(samples, run) {
    const [, single] = samples;
    if (!single) throw new Error("needs a cluster with one primary.");
    const ofSingle = (figure: Figure) => (sample: Sample<Figure>) => sample.ratio(figure, single);
    const live = formatNumber(single.median("live"));
    return {
      names: "",
      columns: [
        ["refreshed/s", "refreshRate"],
        ["min – max", (sample) => sample.spread("refreshRate")],
        ["busiest primary, CPU s per 1 M", "refreshCpu"],
        ["of a single primary", ofSingle("refreshCpu")],
        ["in turn", "inTurnRefreshCpu"],
        ["min – max", (sample) => sample.spread("inTurnRefreshCpu")],
        ["of a single primary", ofSingle("inTurnRefreshCpu")],
        ["arrivals/s", "arrivalRate"],
        ["in turn, CPU s per 1 M", "inTurnArrivalCpu"],
        ["of a single primary", ofSingle("inTurnArrivalCpu")],
      ],
      notes: [
        `Clusters have ${PARTITIONS} partitions, the single Redis has none. All have the same load: ${live} live clients are refreshed, then ${formatNumber(single.median("arrivals"))} arrive, in entries of at most 500, from the first XADD until a trigger host has processed the last one. No server watches.`,
        "Load, trigger host and all primaries share the cores of this machine, which limit the clients per second. The processor time of the busiest primary for the same load shows what more primaries save: from INFO, all threads, without waiting.",
        "In turn: the same load, one partition after another, so that no two primaries compete for a core. The targets are for this load: at once, the share of the busiest primary varies more from run to run.",
      ],
      targets: TARGETS.flatMap(({ peer, primaries, share }) =>
        PANELS.flatMap(({ figure, event }) => {
          const what = `${primaries} primaries: work of the busiest per ${event}, to a single primary`;
          return samples[peer]?.target(atMost, share, what, figure, single, "a single primary") ?? [];
        }),
      ),
      chart: {
        title: "Work of the busiest primary",
        caption: run.caption(`${live} live clients, one partition after another.`),
        panels: PANELS.map(({ figure, event }) => ({
          measure: `processor time per million ${event}s`,
          unit: "s",
          better: "less",
          figure,
          note: (sample) => (sample === single ? undefined : `${ofSingle(figure)(sample)} a single primary`),
        })),
      },
    };
  },
});

async function startRedis(): Promise<Deployment> {
  const server = await RedisServer.start();
  onScopeEnd(() => server.stop());
  return await startPlatform("one Redis", server.url, [server.url]);
}

async function startCluster(primaries: number): Promise<Deployment> {
  const nodes = await RedisCluster.start({ primaries, hasReplicas: false });
  onScopeEnd(() => nodes.stop());
  const name = `cluster, ${primaries} ${primaries === 1 ? "primary" : "primaries"}`;
  const urls = nodes.servers.map(({ url }) => url);
  return await startPlatform(name, nodes.url, urls);
}

/** Starts a trigger host for all partitions, and joins a server to each. */
async function startPlatform(name: string, redisUrl: string, urls: readonly string[]): Promise<Deployment> {
  const partitions = partitionsOf(redisUrl, PARTITIONS).map((part) =>
    createConnection(redisUrl, "bench", SILENT, part),
  );
  for (const redis of partitions) {
    onScopeEnd(() => redis.disconnect());
    await redis.connect();
    await joinServers(redis, HEARTBEAT_INTERVAL_MS, SERVER);
  }
  startHost(redisUrl, HEARTBEAT_INTERVAL_MS, PARTITIONS);
  return { name, isOurs: true, primaries: urls.map(connectTo), partitions };
}

async function measureAll(run: Run, deployment: Deployment, round: number) {
  const clients = clientIds(run.liveClients(LIVE));
  const arrivals = run.scaled(ARRIVALS);
  const newClients = (name: string) => Array.from({ length: arrivals }, (_, index) => `${name}-${round}-${index}`);
  const refreshes = await measure(deployment, clients, refreshAll);
  const inTurn = await measure(deployment, clients, refreshInTurn);
  const arriving = await measure(deployment, newClients("at-once"), refreshAll);
  const arrivingInTurn = await measure(deployment, newClients("in-turn"), refreshInTurn);
  return {
    refreshRate: refreshes.rate,
    refreshCpu: refreshes.cpu,
    inTurnRefreshCpu: inTurn.cpu,
    arrivalRate: arriving.rate,
    inTurnArrivalCpu: arrivingInTurn.cpu,
    live: clients.length,
    arrivals,
  };
}

async function measure(deployment: Deployment, clients: readonly string[], work: typeof refreshAll) {
  const { primaries } = deployment;
  const before = await Promise.all(primaries.map(cpuMsOf));
  const startMs = performance.now();
  await work(deployment, clients);
  const tookMs = performance.now() - startMs;
  await Promise.all(primaries.map(untilIdle));
  const after = await Promise.all(primaries.map(cpuMsOf));
  const busiestMs = Math.max(...after.map((cpuMs, index) => cpuMs - (before[index] ?? 0)));
  return { rate: (1000 * clients.length) / tookMs, cpu: (1000 * busiestMs) / clients.length };
}

/** One heartbeat of each client, in all partitions at once, until the last is processed. */
async function refreshAll(deployment: Deployment, clients: readonly string[]): Promise<void> {
  await Promise.all(split(deployment, clients).map(([redis, own]) => refresh(redis, SERVER, own)));
}

async function refreshInTurn(deployment: Deployment, clients: readonly string[]): Promise<void> {
  for (const [redis, own] of split(deployment, clients)) await refresh(redis, SERVER, own);
}

function split({ partitions }: Deployment, clients: readonly string[]): [Redis, string[]][] {
  const shares = partitions.map((redis): [Redis, string[]] => [redis, []]);
  for (const client of clients) shares[partitionOf(client, shares.length)]?.[1].push(client);
  return shares;
}
