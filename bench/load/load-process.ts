/** A program that generates load in a process of its own, until the parent process disconnects. */
import { Redis } from "ioredis";
import { openPublisher } from "../peers/nchan.ts";
import { colleagueId } from "../setup/programs.ts";
import { clientIds, keepAlive, sendHeartbeat } from "./heartbeats.ts";
import { type Pace, sendAtPace } from "./schedule.ts";

/** One heartbeat of each colleague: they come online, and go offline when the lease expires. */
interface HeartbeatsOrder {
  kind: "heartbeats";
  pace: Pace;
  redisUrl: string;
  server: string;
}

/** A publication about each colleague, at the port of Nchan. */
interface PublicationsOrder {
  kind: "publications";
  pace: Pace;
  port: number;
}

/** Clients that stay online. The answer comes when all have sent a heartbeat. */
interface LivingOrder {
  kind: "living";
  redisUrl: string;
  server: string;
  count: number;
  heartbeatIntervalMs: number;
}

/** Clients that come and go, half of them online at any time. */
interface VisitsOrder {
  kind: "visits";
  redisUrl: string;
  /** They come in turn, at equal intervals. */
  clients: readonly string[];
  /** Arrivals and departures together. */
  changesPerSecond: number;
  heartbeatIntervalMs: number;
}

/** `stay` ends visits: no client comes any more, and none leaves. */
export type LoadOrder = HeartbeatsOrder | PublicationsOrder | LivingOrder | VisitsOrder | { kind: "stay" };

export interface LoadReport {
  /** When each event was due, ms since the epoch. */
  dueMs: readonly number[];
  /** The ids of the heartbeat entries. */
  entryIds: readonly string[];
}

interface Visit {
  client: string;
  /** When its next heartbeat is due, ms after the start. */
  dueMs: number;
  heartbeatsLeft: number;
}

const NO_REPORT: LoadReport = { dueMs: [], entryIds: [] };
const VISITS_SERVER = "visits";
const LEASE_INTERVALS = 1.5;
const TICK_MS = 10;
/** Between two clients that come one after another, so that they are not neighbours. No factor of round numbers. */
const STRIDE = 1_613;

let stay = () => {};

process.on("message", (order: LoadOrder) => {
  void carryOut(order).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit());

async function carryOut(order: LoadOrder): Promise<LoadReport> {
  switch (order.kind) {
    case "heartbeats":
      return sendHeartbeatsOf(order);
    case "publications":
      return publish(order);
    case "living":
      return keepLiving(order);
    case "visits":
      startVisits(order);
      return NO_REPORT;
    case "stay":
      stay();
      return NO_REPORT;
  }
}

async function sendHeartbeatsOf({ redisUrl, pace, server }: HeartbeatsOrder): Promise<LoadReport> {
  const redis = new Redis(redisUrl, { protocol: 2 });
  await redis.ping();
  const dueMs: number[] = [];
  const ids: Promise<string>[] = [];
  await sendAtPace(pace, (index, due) => {
    dueMs.push(due);
    ids.push(sendHeartbeat(redis, server, [colleagueId(index)]));
  }).isDone;
  const entryIds = await Promise.all(ids);
  redis.disconnect();
  return { dueMs, entryIds };
}

async function publish({ pace, port }: PublicationsOrder): Promise<LoadReport> {
  const publisher = await openPublisher(port);
  const dueMs: number[] = [];
  await sendAtPace(pace, (index, due) => {
    dueMs.push(due);
    publisher.publish([JSON.stringify({ client: colleagueId(index), status: "ONLINE", since: Math.floor(due) })]);
  }).isDone;
  publisher.close();
  return { dueMs, entryIds: [] };
}

async function keepLiving({ redisUrl, server, count, heartbeatIntervalMs }: LivingOrder): Promise<LoadReport> {
  const redis = new Redis(redisUrl, { protocol: 2 });
  const forever = new AbortController().signal;
  return { dueMs: [], entryIds: await keepAlive(redis, server, clientIds(count), heartbeatIntervalMs, forever).isUp };
}

function startVisits({ redisUrl, clients, changesPerSecond, heartbeatIntervalMs }: VisitsOrder): void {
  const redis = new Redis(redisUrl, { protocol: 2 });
  const cycleMs = (2_000 * clients.length) / changesPerSecond;
  // The lease outlives the last heartbeat.
  const heartbeats = Math.floor(cycleMs / 2 / heartbeatIntervalMs - LEASE_INTERVALS) + 1;
  const startMs = performance.now();
  /** In the order in which they are due, because all have the same interval. */
  let visits: Visit[] = [];
  let arrivals = 0;
  let isOpen = true;

  stay = () => {
    isOpen = false;
    visits = visits.map((visit) => ({ ...visit, heartbeatsLeft: Number.POSITIVE_INFINITY }));
  };

  setInterval(() => {
    const nowMs = performance.now() - startMs;
    for (; isOpen && (arrivals * cycleMs) / clients.length <= nowMs; arrivals++) {
      const client = clients[(arrivals * STRIDE) % clients.length];
      if (client !== undefined) visits.push({ client, dueMs: nowMs, heartbeatsLeft: heartbeats });
    }
    const due = visits.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0) return;
    const next = due.map(({ client, dueMs, heartbeatsLeft }) => ({
      client,
      dueMs: dueMs + heartbeatIntervalMs,
      heartbeatsLeft: heartbeatsLeft - 1,
    }));
    visits = [...visits.filter(({ dueMs }) => dueMs > nowMs), ...next.filter((visit) => visit.heartbeatsLeft > 0)];
    const ids = due.map(({ client }) => client);
    void sendHeartbeat(redis, VISITS_SERVER, ids);
  }, TICK_MS);
}
