import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "@presence/testkit";
import { colleagueIds } from "../load/colleagues.ts";
import { writeContacts } from "../load/contact-documents.ts";
import { Deliveries, type EventOf } from "../load/deliveries.ts";
import { joinRemoteServer } from "../load/heartbeats.ts";
import { epochMs, type Pace } from "../load/schedule.ts";
import type { Load } from "../load/start-load.ts";
import { measureUsage, until, untilQuiet } from "../load/streams.ts";
import { OURS } from "./programs.ts";
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
  let [fromMs, read] = [0, 0];
  const { wallMs, usedMs, readerShare } = await measureUsage(cpuMs, async () => {
    fromMs = epochMs();
    const before = deliveries.count;
    await sleep(measuredMs);
    read = deliveries.count - before;
    return epochMs() - fromMs;
  });
  const due = await dueMs;
  // If a delivery is missing, the figures show it.
  await until(() => deliveries.count === deliveries.expected).catch(() => {});
  await untilQuiet(viewers);
  deliveries.stop();
  const isMeasured = (event: number) => (due[event] ?? 0) >= fromMs && (due[event] ?? 0) < fromMs + wallMs;
  const all = deliveries.latencies(due, isMeasured);
  const ends = deliveries.latencies(due, (event) => isEnd(event) && isMeasured(event));
  return {
    cpuPercent: (100 * usedMs) / wallMs,
    readerPercent: 100 * readerShare,
    eventsPerSecond: (1_000 * read) / viewers.length / wallMs,
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
  { pace, viewerCount, heartbeatIntervalMs }: { pace: Pace; viewerCount: number; heartbeatIntervalMs: number },
): Promise<SteadyPeer> {
  const colleagues = colleagueIds(pace.count);
  const viewers = Array.from({ length: viewerCount }, (_, index) => `viewer-${index}`);
  await writeContacts(redis, viewers, () => colleagues);
  await writeContacts(redis, colleagues);
  const watchPath = (index: number) => `/events/${viewers[index]}`;
  const program = { ...OURS, env: redis.env(heartbeatIntervalMs), watchPath };
  const peer = await openOurs(redis, program, viewerCount);
  const remote = await joinRemoteServer(redis, heartbeatIntervalMs);
  const leaseMs = LEASE_INTERVALS * heartbeatIntervalMs;
  return {
    ...peer,
    eventCount: 2 * pace.count,
    eventOf: (colleague, isOnline) => 2 * (colleague - 1) + (isOnline ? 0 : 1),
    async begin() {
      await remote.join();
      const sent = load("heartbeats", redis.url, pace);
      return { dueMs: sent.then((entries) => entries.flatMap(({ due, entryMs }) => [due, entryMs + leaseMs])) };
    },
  };
}

/** In the numbering of `openOurSteadyPeer`. */
function isEnd(event: number): boolean {
  return event % 2 === 1;
}
