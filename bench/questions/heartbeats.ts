import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PresenceFunctions, startTriggerHost, type TriggerHost } from "@presence/gears";
import { LEASE_KEY_PREFIX, leaseKey } from "@presence/protocol";
import { barOf } from "../charts/chart.ts";
import { CLIENTS_PER_ENTRY, redisClientIds, SILENT, sendHeartbeats, untilWorkedOff } from "../load/redis-clients.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { median } from "../statistics.ts";
import { formatNumber, formatRatio } from "../table.ts";
import { atLeast } from "../verdict.ts";

const DEFAULT_LIVE = 500_000;
const SERVER = "server-1";
/** So long that no lease ends while another way of refreshing has its turn. */
const HEARTBEAT_INTERVAL_MS = 120_000;
const LEASE_MS = 1.5 * HEARTBEAT_INTERVAL_MS;
const PIPELINE_LENGTH = 500;
const BENCHMARK_ARGS = ["-P", "64", "-c", "50", "--csv"];

/** One way of refreshing all clients once. */
interface Way {
  name: string;
  redis: RedisProcess;
  /** How many times its clients per second ours are to be, and what it is then called. */
  aim?: { times: number; of: string };
  /** @returns how long it took, ms */
  refresh(): Promise<number>;
  stop(): Promise<void>;
  rounds: Round[];
}

interface Round {
  clientsPerSecond: number;
  /** Redis's own processor time. */
  cpuMicrosPerClient: number;
}

export const heartbeats: Question = {
  name: "heartbeats",
  title: "Heartbeats: clients refreshed per second",
  connections: () => 10,
  run,
};

async function run({ isLong, live = DEFAULT_LIVE, onProgress }: Effort): Promise<Answer> {
  const rounds = isLong ? 9 : 5;
  const clients = redisClientIds(live);
  const ways: Way[] = [];
  try {
    onProgress(`bringing ${formatNumber(live)} clients online`);
    ways.push(await openOurs(clients), await openPipelines(clients, 1), await openPipelines(clients, 4));
    ways.push(await openRedisBenchmark(live));
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) {
        onProgress(`round ${round + 1} of ${rounds}: ${way.name}`);
        way.rounds.push(await measure(way, live));
      }
    }
    return answer(ways, rounds, live);
  } finally {
    for (const way of ways) await way.stop();
  }
}

async function measure({ redis, refresh }: Way, live: number): Promise<Round> {
  const before = await redis.cpuMs();
  const tookMs = await refresh();
  const cpuMs = (await redis.cpuMs()) - before;
  return { clientsPerSecond: (1000 * live) / tookMs, cpuMicrosPerClient: (1000 * cpuMs) / live };
}

/** The platform as it runs: entries of 500 on the heartbeat stream, worked off by a trigger host. */
async function openOurs(clients: readonly string[]): Promise<Way> {
  const redis = await RedisProcess.start();
  const functions = await PresenceFunctions.connect(redis.commands, HEARTBEAT_INTERVAL_MS, SILENT);
  await functions.join(SERVER);
  const sender = redis.connect();
  const options = { redisUrl: redis.server.url, heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS, logger: SILENT };
  const host: TriggerHost = startTriggerHost(options);
  const refresh = () =>
    timed(async () => untilWorkedOff(redis.commands, (await sendHeartbeats(sender, SERVER, clients)).at(-1) ?? "0-0"));
  await refresh();
  return {
    name: `ours: XADD of ${CLIENTS_PER_ENTRY} → presence_work`,
    redis,
    refresh,
    rounds: [],
    async stop() {
      await host.stop();
      sender.disconnect();
      await redis.stop();
    },
  };
}

/** @param atOnce how many pipelines may be under way: 1 for one after another */
async function openPipelines(clients: readonly string[], atOnce: number): Promise<Way> {
  const redis = await RedisProcess.start();
  const sender = redis.connect();
  const refresh = () =>
    timed(async () => {
      let inFlight: Promise<unknown>[] = [];
      for (let start = 0; start < clients.length; start += PIPELINE_LENGTH) {
        const pipeline = sender.pipeline();
        for (const client of clients.slice(start, start + PIPELINE_LENGTH)) {
          pipeline.set(leaseKey(client), SERVER, "PX", LEASE_MS);
        }
        inFlight.push(pipeline.exec());
        if (inFlight.length < atOnce) continue;
        await Promise.all(inFlight);
        inFlight = [];
      }
      await Promise.all(inFlight);
    });
  await refresh();
  return {
    name: `ioredis, pipelines of ${PIPELINE_LENGTH} SET PX, ${atOnce} at once`,
    redis,
    ...(atOnce === 1 && { aim: { times: 1.5, of: "pipelines, 1 at once" } }),
    refresh,
    rounds: [],
    async stop() {
      sender.disconnect();
      await redis.stop();
    },
  };
}

/** Redis's own load generator, in C: the ceiling for one `SET PX` each. It picks its clients at random. */
async function openRedisBenchmark(live: number): Promise<Way> {
  const redis = await RedisProcess.start();
  const command = ["SET", `${LEASE_KEY_PREFIX}client-__rand_int__`, SERVER, "PX", String(LEASE_MS)];
  const refresh = async () => {
    const args = [
      "-p",
      String(redis.server.port),
      ...BENCHMARK_ARGS,
      "-n",
      String(live),
      "-r",
      String(live),
      ...command,
    ];
    const { stdout } = await promisify(execFile)("redis-benchmark", args);
    const perSecond = Number(/",?"?([\d.]+)"/.exec(stdout.trim().split("\n").at(-1)?.split(",")[1] ?? "")?.[1]);
    return (1000 * live) / perSecond;
  };
  await refresh();
  const name = "redis-benchmark, SET PX, -P 64 -c 50";
  return { name, redis, aim: { times: 0.5, of: "redis-benchmark" }, refresh, rounds: [], stop: () => redis.stop() };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function answer(ways: readonly Way[], rounds: number, live: number): Answer {
  const [ours] = ways;
  const speedsOf = (way: Way) => way.rounds.map(({ clientsPerSecond }) => clientsPerSecond);
  const speedOf = (way: Way) => median(speedsOf(way));
  const aims = ways.flatMap((way) => (way.aim ? [{ ...way.aim, speed: speedOf(way) }] : []));
  const cpuOf = (way: Way) => median(way.rounds.map(({ cpuMicrosPerClient }) => cpuMicrosPerClient));
  return {
    header: ["way", "clients/s", "ours is", "Redis CPU µs each", "clients per Redis CPU second", "ours is"],
    rows: ways.map((way) => [
      way.name,
      formatNumber(speedOf(way)),
      ours ? formatRatio(speedOf(ours), speedOf(way)) : "",
      formatNumber(cpuOf(way)),
      formatNumber(1_000_000 / cpuOf(way)),
      ours ? formatRatio(cpuOf(way), cpuOf(ours)) : "",
    ]),
    notes: [
      "Ours: from the first heartbeat's XADD until a trigger host has worked off the last, with its lease and its place among the deadlines; keyspace notifications are on, as the host needs them.",
      "The others only set the lease: no index of deadlines, so nobody could tell in time who has gone. Each has a Redis of its own.",
      "Redis CPU: of all its threads, from INFO; it counts no waiting for a processor that others are using. The ratios beside it are of clients per Redis CPU second.",
      `Of ${formatNumber(live)} live clients; medians of ${rounds} rounds, the ways in turn.`,
    ],
    chart: {
      title: `${heartbeats.title}, ${formatNumber(live)} live`,
      panels: [
        {
          measure: "clients per second",
          better: "more",
          bars: ways.map((way) =>
            way === ours
              ? barOf(way.name, speedsOf(way), {
                  isOurs: true,
                  targets: aims.map(({ times, of, speed }) => ({
                    value: times * speed,
                    label: `aimed at: ${times} × ${of}`,
                  })),
                })
              : barOf(way.name, speedsOf(way), {
                  note: ours ? `ours is ${formatRatio(speedOf(ours), speedOf(way))}` : "",
                }),
          ),
        },
        {
          measure: "Redis's processor time for each client",
          unit: "µs",
          better: "less",
          bars: ways.map((way) =>
            barOf(
              way.name,
              way.rounds.map(({ cpuMicrosPerClient }) => cpuMicrosPerClient),
              { isOurs: way === ours },
            ),
          ),
        },
      ],
      caption: `Medians of ${rounds} rounds; thin lines: from the least to the most. The others only set the lease, and can't tell in time who has gone.`,
    },
    verdicts: ours
      ? aims.map(({ times, of, speed }) => atLeast(times, `heartbeats, clients/s, of ${of}`, speedOf(ours) / speed))
      : [],
  };
}
