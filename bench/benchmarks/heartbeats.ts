import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { LEASE_KEY_PREFIX, leaseKey } from "@presence/protocol";
import { defineBenchmark, type Run } from "../benchmark.ts";
import { CLIENTS_PER_ENTRY, clientIds, joinServers, refresh, startHost } from "../load/heartbeats.ts";
import { formatNumber } from "../report/table.ts";
import { atLeast } from "../report/verdict.ts";
import { cpuMsOf, RedisProcess } from "../setup/redis-process.ts";

const LIVE = 500_000;
const SERVER = "server-1";
/** So long that no lease ends while the peers have their turns. */
const HEARTBEAT_INTERVAL_MS = 120_000;
const LEASE_MS = 1.5 * HEARTBEAT_INTERVAL_MS;
const PIPELINE_LENGTH = 500;
/** How many times the clients per second of a peer ours should reach, by the peer's position. */
const TARGETS = [
  { peer: 1, name: "pipelines, one at a time", times: 1.5 },
  { peer: 3, name: "redis-benchmark", times: 0.5 },
];

/** A way of refreshing all clients once. */
interface Way {
  name: string;
  redis: RedisProcess;
  refresh(): Promise<unknown>;
  /** @returns clients per second, if the way measures them itself */
  rate?(): Promise<number>;
}

type Figure = "rate" | "cpuMicros" | "perCpuSecond" | "live";

export const heartbeats = defineBenchmark<Figure, Way>({
  name: "heartbeats",
  title: "Heartbeats: clients refreshed per second",
  connections: 10,
  rounds: { usual: 5, long: 9 },
  async setUp(run) {
    const live = run.liveClients(LIVE);
    const clients = clientIds(live);
    const ways = [
      await openOurs(clients),
      await openPipelines(clients, 1, "one at a time"),
      await openPipelines(clients, 4, "four at a time"),
      await openRedisBenchmark(live),
    ];
    for (const way of ways) await way.refresh();
    return ways;
  },
  measure,
  report(samples, run) {
    const [ours] = samples;
    const live = formatNumber(ours.median("live"));
    return {
      names: "method",
      columns: [
        ["clients/s", "rate"],
        ["ours is", (sample) => ours.ratio("rate", sample)],
        ["Redis CPU µs per client", "cpuMicros"],
        ["clients per Redis CPU second", "perCpuSecond"],
        ["ours is", (sample) => sample.ratio("cpuMicros", ours)],
      ],
      notes: [
        "Ours: from the XADD of the first heartbeat until a trigger host has processed the last one, with leases and deadlines. Keyspace notifications are on, because the host needs them.",
        "The others only set the lease. Without an index of deadlines, expired leases could not be found in time. Each method has its own Redis.",
        "Redis CPU: all threads, from INFO; waiting for a processor is not counted. The ratios beside it are of clients per Redis CPU second.",
        `${live} live clients.`,
      ],
      targets: TARGETS.map(({ peer, name, times }) =>
        ours.target(atLeast, times, `heartbeats, clients/s, ours to ${name}`, "rate", samples[peer], name),
      ),
      chart: {
        title: `${run.title}, ${live} live`,
        caption: run.caption("The others only set the lease, and would not find expired leases in time."),
        panels: [
          {
            measure: "clients per second",
            better: "more",
            figure: "rate",
            note: (sample) => (sample === ours ? undefined : `ours is ${ours.ratio("rate", sample)}`),
          },
          { measure: "processor time of Redis per client", unit: "µs", better: "less", figure: "cpuMicros" },
        ],
      },
    };
  },
});

async function measure(run: Run, { redis, refresh: refreshAll, rate }: Way): Promise<Record<Figure, number>> {
  const live = run.liveClients(LIVE);
  const before = await cpuMsOf(redis.commands);
  const startMs = performance.now();
  const ownRate = rate ? await rate() : await refreshAll().then(() => undefined);
  const tookMs = performance.now() - startMs;
  const cpuMicros = (1000 * ((await cpuMsOf(redis.commands)) - before)) / live;
  return { rate: ownRate ?? (1000 * live) / tookMs, cpuMicros, perCpuSecond: 1_000_000 / cpuMicros, live };
}

/** The platform: entries of 500 on the heartbeat stream, processed by a trigger host. */
async function openOurs(clients: readonly string[]): Promise<Way> {
  const redis = await RedisProcess.start();
  await joinServers(redis.commands, HEARTBEAT_INTERVAL_MS, SERVER);
  const sender = redis.connect();
  startHost(redis.url, HEARTBEAT_INTERVAL_MS);
  return {
    name: `ours: XADD of ${CLIENTS_PER_ENTRY} → presence_work`,
    redis,
    refresh: () => refresh(redis.commands, SERVER, clients, sender),
  };
}

async function openPipelines(clients: readonly string[], concurrency: number, words: string): Promise<Way> {
  const redis = await RedisProcess.start();
  const sender = redis.connect();
  const refreshAll = async () => {
    let inFlight: Promise<unknown>[] = [];
    for (let start = 0; start < clients.length; start += PIPELINE_LENGTH) {
      const pipeline = sender.pipeline();
      for (const client of clients.slice(start, start + PIPELINE_LENGTH)) {
        pipeline.set(leaseKey(client), SERVER, "PX", LEASE_MS);
      }
      inFlight.push(pipeline.exec());
      if (inFlight.length < concurrency) continue;
      await Promise.all(inFlight);
      inFlight = [];
    }
    await Promise.all(inFlight);
  };
  return { name: `ioredis, pipelines of ${PIPELINE_LENGTH} SET PX, ${words}`, redis, refresh: refreshAll };
}

/** Redis's own load generator, written in C: the ceiling for one `SET PX` per client. It picks its clients at random. */
async function openRedisBenchmark(live: number): Promise<Way> {
  const redis = await RedisProcess.start();
  const settings = ["-P", "64", "-c", "50", "--csv", "-p", String(redis.port), "-n", String(live), "-r", String(live)];
  const command = ["SET", `${LEASE_KEY_PREFIX}client-__rand_int__`, SERVER, "PX", String(LEASE_MS)];
  const rate = async () => {
    const { stdout } = await promisify(execFile)("redis-benchmark", [...settings, ...command]);
    const [, perSecond] = /","([\d.]+)"/.exec(stdout.trim().split("\n").at(-1) ?? "") ?? [];
    return Number(perSecond);
  };
  return { name: "redis-benchmark, SET PX, -P 64 -c 50", redis, refresh: rate, rate };
}
