/**
 * A program of its own: people who come and go, evenly spread over time. To Redis it is a realtime server like any other,
 * of whose clients half are there at any time.
 */
import { Redis } from "ioredis";
import { sendHeartbeat } from "./redis-clients.ts";

export interface VisitsOrder {
  redisUrl: string;
  /** Each comes once in a while, and all equally often. */
  clients: readonly string[];
  /** Comings and goings together. */
  changesPerSecond: number;
  /** `d`, in ms. */
  heartbeatIntervalMs: number;
}

/** `stay`: nobody comes any more, and nobody who is there goes. */
export type VisitsRequest = VisitsOrder | "stay";

interface Visit {
  client: string;
  /** When its next heartbeat is due, ms after the start. */
  dueMs: number;
  heartbeatsLeft: number;
}

const SERVER = "visits";
const LEASE_INTERVALS = 1.5;
const TICK_MS = 10;
/** From one to the next who comes, so that they are not neighbours in the list: shares no factor with round numbers. */
const STRIDE = 1_613;

let stay = () => {};

process.on("message", (request: VisitsRequest) => {
  if (request === "stay") stay();
  else start(request);
});
process.on("disconnect", () => process.exit());

function start({ redisUrl, clients, changesPerSecond, heartbeatIntervalMs }: VisitsOrder): void {
  const redis = new Redis(redisUrl, { protocol: 2 });
  const cycleMs = (2_000 * clients.length) / changesPerSecond;
  // Whoever goes just falls silent: their lease outlives the last heartbeat.
  const heartbeats = Math.floor(cycleMs / 2 / heartbeatIntervalMs - LEASE_INTERVALS) + 1;
  const startMs = performance.now();
  /** In the order in which they are due, as all have the same interval. */
  let visits: Visit[] = [];
  let come = 0;
  let isOpen = true;

  stay = () => {
    isOpen = false;
    visits = visits.map((visit) => ({ ...visit, heartbeatsLeft: Number.POSITIVE_INFINITY }));
  };

  setInterval(() => {
    const nowMs = performance.now() - startMs;
    for (; isOpen && (come * cycleMs) / clients.length <= nowMs; come++) {
      const client = clients[(come * STRIDE) % clients.length];
      if (client !== undefined) visits.push({ client, dueMs: nowMs, heartbeatsLeft: heartbeats });
    }
    const due = visits.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0) return;
    const going = due.map((visit) => ({
      ...visit,
      dueMs: visit.dueMs + heartbeatIntervalMs,
      heartbeatsLeft: visit.heartbeatsLeft - 1,
    }));
    visits = [
      ...visits.filter(({ dueMs }) => dueMs > nowMs),
      ...going.filter(({ heartbeatsLeft }) => heartbeatsLeft > 0),
    ];
    void sendHeartbeat(
      redis,
      SERVER,
      due.map(({ client }) => client),
    );
  }, TICK_MS);
}
