import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "@presence/testkit";
import { writeDocument } from "../load/contact-documents.ts";
import { Deliveries, type EventOf } from "../load/deliveries.ts";
import { REMOTE_SERVER_ID, RemoteServer } from "../load/remote-server.ts";
import { epochMs, type Pace } from "../load/schedule.ts";
import type { Load } from "../load/start-load.ts";
import { startReaderLoad, until, untilQuiet } from "../load/streams.ts";
import { colleagueId, OURS } from "./programs.ts";
import { openOurs, type PushPeer } from "./push-peers.ts";
import type { RedisProcess } from "./redis-process.ts";

const LEASE_INTERVALS = 1.5;
/** Events go on after the measured span. */
const MARGIN_MS = 500;

/** A server whose viewers receive events that are spread evenly over time. */
export interface SteadyPeer extends PushPeer {
  eventCount: number;
  eventOf: EventOf;
  /** Starts the events. @returns a promise for when each was due, ms since the epoch, which resolves after the last one */
  begin(): Promise<{ dueMs: Promise<readonly number[]> }>;
}

/** How long events are sent before they are measured, and how long they are measured, ms. */
export interface Spans {
  warmUpMs: number;
  measuredMs: number;
}

export function paceOver({ warmUpMs, measuredMs }: Spans, perSecond: number): Pace {
  return { count: Math.ceil(((warmUpMs + measuredMs + MARGIN_MS) / 1_000) * perSecond), perSecond };
}

/** Percentages are of one core; latencies are in ms; `end…` are the ends of leases, of ours alone. */
export type SteadyFigure =
  | "cpuPercent"
  | "readerPercent"
  | "eventsPerSecond"
  | "delivered"
  | "expected"
  | "surplus"
  | "p50Ms"
  | "p99Ms"
  | "worstMs"
  | "endP50Ms"
  | "endP99Ms"
  | "endWorstMs";

/** Starts the events, and measures them over a span. */
export async function measureSteady(
  { viewers, eventCount, eventOf, begin, cpuMs }: SteadyPeer,
  { warmUpMs, measuredMs }: Spans,
): Promise<Record<SteadyFigure, number>> {
  const deliveries = new Deliveries(viewers, eventCount, eventOf);
  const { dueMs } = await begin();
  await sleep(warmUpMs);
  const [fromMs, cpuBefore, readBefore] = [epochMs(), await cpuMs(), deliveries.count];
  const readerLoad = startReaderLoad();
  await sleep(measuredMs);
  const [untilMs, cpuAfter, readAfter] = [epochMs(), await cpuMs(), deliveries.count];
  const tookMs = untilMs - fromMs;
  const readerPercent = 100 * readerLoad(tookMs);
  const due = await dueMs;
  // If a delivery is missing, the figures show it.
  await until(() => deliveries.count === deliveries.expected).catch(() => {});
  await untilQuiet(viewers);
  deliveries.stop();
  const isMeasured = (event: number) => (due[event] ?? 0) >= fromMs && (due[event] ?? 0) < untilMs;
  const all = deliveries.latencies(due, isMeasured);
  const ends = deliveries.latencies(due, (event) => isEnd(event) && isMeasured(event));
  return {
    cpuPercent: (100 * (cpuAfter - cpuBefore)) / tookMs,
    readerPercent,
    eventsPerSecond: (1_000 * (readAfter - readBefore)) / viewers.length / tookMs,
    delivered: deliveries.count,
    expected: deliveries.expected,
    surplus: deliveries.surplus,
    p50Ms: percentile(all, 0.5),
    p99Ms: percentile(all, 0.99),
    worstMs: percentile(all, 1),
    endP50Ms: percentile(ends, 0.5),
    endP99Ms: percentile(ends, 0.99),
    endWorstMs: percentile(ends, 1),
  };
}

/** Clients of a remote server come online, and go offline when their lease expires. Each viewer has all as contacts. */
export async function openOurSteadyPeer(
  redis: RedisProcess,
  load: Load,
  options: { pace: Pace; viewerCount: number; heartbeatIntervalMs: number; nodeArgs: readonly string[] },
): Promise<SteadyPeer> {
  const { pace, viewerCount, heartbeatIntervalMs, nodeArgs } = options;
  const colleagues = Array.from({ length: pace.count }, (_, index) => colleagueId(index));
  const viewerId = (index: number) => `viewer-${index}`;
  for (let index = 0; index < viewerCount; index++) await writeDocument(redis, viewerId(index), colleagues);
  for (const colleague of colleagues) await writeDocument(redis, colleague, []);
  const env = { REDIS_URL: redis.url, HEARTBEAT_INTERVAL_MS: String(heartbeatIntervalMs) };
  const program = { ...OURS, env, watchPath: (index: number) => `/events/${viewerId(index)}` };
  const peer = await openOurs(redis, program, viewerCount, nodeArgs);
  const remote = await RemoteServer.join(redis, heartbeatIntervalMs);
  const leaseMs = LEASE_INTERVALS * heartbeatIntervalMs;
  return {
    ...peer,
    eventCount: 2 * pace.count,
    eventOf: (colleague, isOnline) => 2 * (colleague - 1) + (isOnline ? 0 : 1),
    async begin() {
      await remote.join();
      const report = load({ kind: "heartbeats", pace, redisUrl: redis.url, server: REMOTE_SERVER_ID });
      const dueMs = report.then(({ dueMs: due, entryIds }) =>
        due.flatMap((each, index) => [each, Number(entryIds[index]?.split("-")[0]) + leaseMs]),
      );
      return { dueMs };
    },
  };
}

/** In the numbering of `openOurSteadyPeer`. */
function isEnd(event: number): boolean {
  return event % 2 === 1;
}
