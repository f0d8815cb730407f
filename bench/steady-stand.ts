import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { colleagueId, OURS } from "./contestants.ts";
import { until, untilQuiet } from "./load/crowd.ts";
import { Deliveries, type EventOf } from "./load/deliveries.ts";
import { OTHER_SERVER_ID, OtherServer } from "./load/other-server.ts";
import { epochMs, type Pace } from "./load/pace.ts";
import { writeDocument } from "./load/people.ts";
import type { CausesOrder, CausesReport } from "./load/steady-causes.ts";
import type { Effort } from "./question.ts";
import type { RedisProcess } from "./redis-process.ts";
import { openOurs, type Stand } from "./stands.ts";
import { percentile } from "./statistics.ts";
import { formatNumber } from "./table.ts";
import type { Verdict } from "./verdict.ts";

const LEASE_INTERVALS = 1.5;
/** The last that are measured aren't the last of all. */
const RUN_OUT_MS = 500;

/** A server with its viewers, to whom events will come evenly spread over time. */
export interface SteadyStand extends Stand {
  /** How many events there will be. */
  eventCount: number;
  eventOf: EventOf;
  /** Has the events begin. @returns, once all have been sent, when each was due, ms since the epoch */
  begin(): Promise<{ dueMs: Promise<readonly number[]> }>;
}

/** How long events come before they count, and then, ms. */
export interface Spans {
  warmUpMs: number;
  measuredMs: number;
}

/** So many a second, for as long as that takes. */
export function paceOver({ warmUpMs, measuredMs }: Spans, perSecond: number): Pace {
  return { count: Math.ceil(((warmUpMs + measuredMs + RUN_OUT_MS) / 1_000) * perSecond), perSecond };
}

/** From when events were due to their viewers' reads, ms. */
export interface Lateness {
  p50Ms: number;
  p99Ms: number;
  worstMs: number;
}

export interface SteadyRound {
  /** Share of a core. */
  cpuShare: number;
  readerShare: number;
  eventsPerSecond: number;
  /** Of all deliveries of the round, those that came. */
  delivered: number;
  expected: number;
  /** What came once more, or unasked. */
  surplus: number;
  all: Lateness;
  /** Of ours: of the ends of leases alone. */
  ends: Lateness;
}

/** Has the events begin, and measures while they come. */
export async function measureSteady(stand: SteadyStand, { warmUpMs, measuredMs }: Spans): Promise<SteadyRound> {
  const { viewers, eventCount, eventOf, begin, cpuMs } = stand;
  const deliveries = new Deliveries(viewers, eventCount, eventOf);
  const { dueMs } = await begin();
  await sleep(warmUpMs);
  const [fromMs, cpuBefore, readBefore] = [epochMs(), await cpuMs(), deliveries.count];
  const readerBefore = process.cpuUsage();
  await sleep(measuredMs);
  const [untilMs, cpuAfter, readAfter] = [epochMs(), await cpuMs(), deliveries.count];
  const reader = process.cpuUsage(readerBefore);
  const tookMs = untilMs - fromMs;
  const due = await dueMs;
  // What is missing then shows in the figures.
  await until(() => deliveries.count === deliveries.expected).catch(() => {});
  await untilQuiet(viewers);
  deliveries.stop();
  const isMeasured = (event: number) => (due[event] ?? 0) >= fromMs && (due[event] ?? 0) < untilMs;
  return {
    cpuShare: (cpuAfter - cpuBefore) / tookMs,
    readerShare: (reader.user + reader.system) / 1_000 / tookMs,
    eventsPerSecond: (1_000 * (readAfter - readBefore)) / viewers.length / tookMs,
    delivered: deliveries.count,
    expected: deliveries.expected,
    surplus: deliveries.surplus,
    all: latenessOf(deliveries.latencies(due, isMeasured)),
    ends: latenessOf(deliveries.latencies(due, (event) => isEnd(event) && isMeasured(event))),
  };
}

/** @param latencies ms */
export function latenessOf(latencies: readonly number[]): Lateness {
  const share = (of: number) => percentile(latencies, of);
  return { p50Ms: share(0.5), p99Ms: share(0.99), worstMs: share(1) };
}

/** Whether in all these rounds all that was to be told was told once, and nothing else. */
export function eachOnce(what: string, rounds: readonly SteadyRound[]): Verdict {
  const sum = (figure: (round: SteadyRound) => number) => rounds.reduce((total, round) => total + figure(round), 0);
  const [delivered, expected, surplus] = [
    sum((round) => round.delivered),
    sum((round) => round.expected),
    sum((round) => round.surplus),
  ];
  return {
    what,
    measured: formatNumber(delivered + surplus),
    target: formatNumber(expected),
    isReached: delivered === expected && surplus === 0,
  };
}

/** Starts the process that causes events, until it is disconnected. */
export function startCauses(): ChildProcess {
  return fork(fileURLToPath(new URL("load/steady-causes.ts", import.meta.url)));
}

/** Has events caused. */
export async function orderCauses(causes: ChildProcess, what: CausesOrder): Promise<CausesReport> {
  causes.send(what);
  const [report] = await once(causes, "message");
  return report as CausesReport;
}

export interface Visits {
  pace: Pace;
  viewerCount: number;
  heartbeatIntervalMs: number;
}

/**
 * People come to another server, one after another, and go when their lease runs out; each viewer has a list of its own,
 * with all of them in it.
 */
export async function openOurSteadyStand(
  redis: RedisProcess,
  causes: ChildProcess,
  { pace, viewerCount, heartbeatIntervalMs }: Visits,
  effort: Effort,
): Promise<SteadyStand> {
  const colleagues = Array.from({ length: pace.count }, (_, index) => colleagueId(index));
  const viewerId = (index: number) => `viewer-${index}`;
  for (let index = 0; index < viewerCount; index++) await writeDocument(redis, viewerId(index), colleagues);
  for (const colleague of colleagues) await writeDocument(redis, colleague, []);
  const env = { REDIS_URL: redis.server.url, HEARTBEAT_INTERVAL_MS: String(heartbeatIntervalMs) };
  const stand = await openOurs(redis, { ...OURS, env }, viewerCount, (index) => `/events/${viewerId(index)}`, effort);
  const elsewhere = await OtherServer.join(redis, heartbeatIntervalMs);
  const leaseMs = LEASE_INTERVALS * heartbeatIntervalMs;
  return {
    ...stand,
    eventCount: 2 * pace.count,
    eventOf: (colleague, isOnline) => 2 * (colleague - 1) + (isOnline ? 0 : 1),
    async begin() {
      await elsewhere.join();
      const report = orderCauses(causes, {
        kind: "heartbeats",
        pace,
        redisUrl: redis.server.url,
        server: OTHER_SERVER_ID,
      });
      return {
        dueMs: report.then(({ dueMs, toldMs }) =>
          dueMs.flatMap((due, index) => [due, (toldMs[index] ?? Number.NaN) + leaseMs]),
        ),
      };
    },
  };
}

/** By the numbers that `openOurSteadyStand` gives its events. */
function isEnd(event: number): boolean {
  return event % 2 === 1;
}
