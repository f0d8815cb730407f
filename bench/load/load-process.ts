/** A program that generates load in a process of its own, until the parent process disconnects. */
import { Redis } from "ioredis";
import { openPublisher } from "../peers/nchan.ts";
import { colleagueId } from "./colleagues.ts";
import { clientIds, keepAlive, REMOTE_SERVER_ID, sendHeartbeat, timeOf } from "./heartbeats.ts";
import { type Pace, sendAtPace } from "./schedule.ts";

interface Visit {
  client: string;
  /** When its next heartbeat is due, ms after the start. */
  dueMs: number;
  heartbeatsLeft: number;
}

const VISITS_SERVER = "visits";
const LEASE_INTERVALS = 1.5;
const TICK_MS = 10;
/** Between two clients that come one after another, so that they are not neighbours. No factor of round numbers. */
const STRIDE = 1_613;

let stay = () => {};

const loads = {
  /**
   * One heartbeat of each colleague: they come online, and go offline when the lease expires.
   *
   * @returns for each, when it was due, and the time of its entry by Redis's clock, ms since the epoch
   */
  async heartbeats(redisUrl: string, pace: Pace) {
    const redis = new Redis(redisUrl, { protocol: 2 });
    await redis.ping();
    const sent: { due: number; id: Promise<string> }[] = [];
    await sendAtPace(pace, (index, due) => {
      sent.push({ due, id: sendHeartbeat(redis, REMOTE_SERVER_ID, [colleagueId(index)]) });
    }).isDone;
    const report = await Promise.all(sent.map(async ({ due, id }) => ({ due, entryMs: timeOf(await id) })));
    redis.disconnect();
    return report;
  },

  /** A publication about each colleague, at the port of Nchan. @returns when each was due, ms since the epoch */
  async publications(port: number, pace: Pace) {
    const publisher = await openPublisher(port);
    const dueMs: number[] = [];
    await sendAtPace(pace, (index, due) => {
      dueMs.push(due);
      publisher.publish([JSON.stringify({ client: colleagueId(index), status: "ONLINE", since: Math.floor(due) })]);
    }).isDone;
    publisher.close();
    return dueMs;
  },

  /** Clients that stay online. @returns the id of the last entry when all have sent a heartbeat */
  async living(redisUrl: string, server: string, count: number, heartbeatIntervalMs: number) {
    const redis = new Redis(redisUrl, { protocol: 2 });
    const forever = new AbortController().signal;
    const ids = await keepAlive(redis, server, clientIds(count), heartbeatIntervalMs, forever).isUp;
    return ids.at(-1) ?? "0-0";
  },

  /** Clients that come in turn and go, half of them online at any time. Changes are arrivals and departures together. */
  async visits(redisUrl: string, clients: readonly string[], changesPerSecond: number, heartbeatIntervalMs: number) {
    const redis = new Redis(redisUrl, { protocol: 2 });
    const cycleMs = (2_000 * clients.length) / changesPerSecond;
    // The lease outlives the last heartbeat.
    const heartbeats = Math.floor(cycleMs / 2 / heartbeatIntervalMs - LEASE_INTERVALS) + 1;
    const startMs = performance.now();
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
      void sendHeartbeat(
        redis,
        VISITS_SERVER,
        due.map(({ client }) => client),
      );
      for (const visit of due) {
        visit.dueMs += heartbeatIntervalMs;
        visit.heartbeatsLeft -= 1;
      }
      visits = visits.filter(({ heartbeatsLeft }) => heartbeatsLeft > 0);
    }, TICK_MS);
  },

  /** Ends visits: no client comes any more, and none leaves. */
  stay: async () => stay(),
};

export type Loads = typeof loads;

process.on("message", async ({ kind, args }: { kind: keyof Loads; args: never }) => {
  const load: (...args: never) => Promise<unknown> = loads[kind];
  process.send?.((await load(...args)) ?? null);
});
process.on("disconnect", () => process.exit());
