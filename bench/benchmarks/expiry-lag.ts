import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "@presence/testkit";
import { defineBenchmark, type Figures, type Run, type Sample } from "../benchmark.ts";
import {
  clientIds,
  joinServers,
  keepAlive,
  sendHeartbeat,
  startHost,
  timeOf,
  untilCaughtUp,
} from "../load/heartbeats.ts";
import { epochMs } from "../load/schedule.ts";
import { readServerStream } from "../load/stream-reader.ts";
import type { Bar } from "../report/chart.ts";
import { formatNumber } from "../report/table.ts";
import { atMost } from "../report/verdict.ts";
import { RedisProcess } from "../setup/redis-process.ts";

const LIVE = [1_000, 10_000, 100_000];
const DYING = 100;
const DEATH_GAP_MS = 10;
const SERVER = "server-1";
const WATCHER = "server-2";
const LEASE_INTERVALS = 1.5;
const MIN_INTERVAL_MS = 2_000;
/** With more clients the interval is longer: the load on Redis is measured elsewhere. */
const MAX_REFRESHED_PER_SECOND = 20_000;
const WINDOW_MS = { quick: 3_000, usual: 30_000, long: 120_000 };
const TARGET_P99_MS = 50;
const WAYS = [
  { figure: "ours", name: "ours", isOurs: true },
  { figure: "expired", name: "expired notification", isOurs: false },
] as const;

/** Lags in ms; those that were not published within the window are missing. */
type Figure = "ours" | "expired" | "live" | "windowMs";

export const expiryLag = defineBenchmark<Figure, { name: string; isOurs: true; live: number }>({
  name: "expiry-lag",
  title: `How late OFFLINE is published when ${DYING} of many clients disappear`,
  connections: 10,
  rounds: { usual: 3, long: 5 },
  async setUp({ isQuick, effort: { live } }) {
    const counts = live === undefined ? LIVE.slice(0, isQuick ? 1 : undefined) : [live];
    return counts.map((count) => ({ name: `${formatNumber(count)} live`, isOurs: true, live: count }));
  },
  measure,
  report(all, { rounds }) {
    const samples = all.map((sample) => sample.middleRound("ours", 0.99));
    const windowS = formatNumber((samples[0]?.median("windowMs") ?? 0) / 1000);
    const live = (sample: Sample<Figure>) => formatNumber(sample.median("live"));
    return {
      table: {
        header: ["live", "published by", "published", "median ms late", "p99", "max"],
        rows: samples.flatMap((sample) =>
          WAYS.map(({ figure, name, isOurs }) => [
            isOurs ? live(sample) : "",
            name,
            `${sample.values(figure).length} of ${DYING}`,
            ...[0.5, 0.99, 1].map((share) => lagOf(sample, figure, share)),
          ]),
        ),
      },
      notes: [
        "Each client that disappears has, beside its lease, a plain key in the same Redis with the same expiry. The expired notification of that key is measured. All other clients send heartbeats.",
        "From the end of the lease (1.5 intervals after the last heartbeat entry with the client) until a subscriber receives the notification, or a reader of a server's stream receives the event.",
        `Of ${rounds} rounds the middle one, by our 99th percentile.`,
        `The window is ${windowS} s; percentiles are of all ${DYING}, and – if too few were published within it.`,
      ],
      targets: samples.map((sample) =>
        atMost(TARGET_P99_MS, `OFFLINE among ${live(sample)}, p99`, lagOf(sample, "ours", 0.99), "ms late"),
      ),
      chart: {
        caption: `Each dot is one of ${DYING} clients, from the end of its lease until the event is published. Expired notification: of a plain key with the same expiry in the same Redis. The middle one of ${rounds} rounds.`,
        panels: samples.map((sample) => ({
          measure: `delay among ${live(sample)} live clients`,
          unit: "ms",
          better: "less",
          isLogarithmic: true,
          domain: [1, 1.3 * sample.median("windowMs")],
          bars: WAYS.map(({ figure, name, isOurs }) => dotsOf(name, isOurs, sample.values(figure), Number(windowS))),
        })),
      },
    };
  },
});

/** A row of dots. The note says how many are missing. */
function dotsOf(name: string, isOurs: boolean, lags: readonly number[], windowS: number): Bar {
  const missing = DYING - lags.length;
  const dots = lags.map((lag) => Math.round(10 * lag) / 10).toSorted((one, other) => one - other);
  const value = percentile(withMissing(lags), 0.5);
  return { name, isOurs, value, dots, note: missing > 0 ? `${missing} not within ${windowS} s; median` : "median" };
}

/** A percentile of all clients that disappeared. */
function lagOf(sample: Sample<Figure>, figure: Figure, share: number): number {
  return percentile(withMissing(sample.values(figure)), share);
}

function withMissing(lags: readonly number[]): number[] {
  return [...lags, ...Array<number>(DYING - lags.length).fill(Number.POSITIVE_INFINITY)];
}

async function measure(run: Run, { live }: { live: number }): Promise<Figures<Figure>> {
  const windowMs = WINDOW_MS[run.effort.kind];
  const redis = await RedisProcess.start();
  const heartbeatIntervalMs = Math.max(MIN_INTERVAL_MS, (1000 * live) / MAX_REFRESHED_PER_SECOND);
  const [sender, subscriber, reader] = [redis.connect(), redis.connect(), redis.connect()];
  const stopping = new AbortController();
  const functions = await joinServers(redis.commands, heartbeatIntervalMs, SERVER, WATCHER);
  const dying = Array.from({ length: DYING }, (_, index) => `dying-${index}`);
  await functions.read(WATCHER, "epoch", dying, []);
  startHost(redis.url, heartbeatIntervalMs);
  const refreshing = keepAlive(sender, SERVER, clientIds(live), heartbeatIntervalMs, stopping.signal);
  // A burst of arrivals is measured elsewhere.
  await untilCaughtUp(redis.commands, (await refreshing.isUp).at(-1) ?? "0-0");

  const lags = { ours: [] as number[], expired: [] as number[] };
  const deadlines = new Map<string, number>();
  const lagOfClient = (client: string) => epochMs() - (deadlines.get(client) ?? Number.NaN);
  subscriber.on("message", (_channel: string, key: string) => {
    // Leases have other names.
    if (key.startsWith("dying-")) lags.expired.push(lagOfClient(key));
  });
  await subscriber.subscribe("__keyevent@0__:expired");
  readServerStream(reader, WATCHER, (field) => {
    if (field("status") === "OFFLINE") lags.ours.push(lagOfClient(field("client")));
  });
  for (const client of dying) {
    const id = await sendHeartbeat(redis.commands, SERVER, [client]);
    const deadlineMs = timeOf(id) + Math.ceil(LEASE_INTERVALS * heartbeatIntervalMs);
    deadlines.set(client, deadlineMs);
    await redis.commands.set(client, "1", "PXAT", deadlineMs);
    await sleep(DEATH_GAP_MS);
  }
  const endMs = Math.max(...deadlines.values()) + windowMs;
  while (epochMs() < endMs && (lags.ours.length < DYING || lags.expired.length < DYING)) await sleep(DEATH_GAP_MS);
  stopping.abort();
  await refreshing.isDone;
  return { ...lags, live, windowMs };
}
