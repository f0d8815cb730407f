/** A program of its own: causes events one after another, at a server that isn't told by itself when to send them. */
import { Redis } from "ioredis";
import { colleagueId } from "../contestants.ts";
import { openPublisher } from "../peers/nchan.ts";
import { keepAlive } from "./keep-alive.ts";
import { type Pace, pace } from "./pace.ts";
import { redisClientIds, sendHeartbeat } from "./redis-clients.ts";

/** Colleagues in their row, one each. */
export type CausesOrder =
  /** the first and only heartbeat of each, from this server: they come, and go when their lease runs out */
  | { kind: "heartbeats"; pace: Pace; redisUrl: string; server: string }
  /** a publication about each, by Nchan's publisher at this port */
  | { kind: "publications"; pace: Pace; port: number };

/** People who are at a server all the while, until the process is disconnected. Answered when all are there. */
export interface LivingOrder {
  kind: "living";
  redisUrl: string;
  server: string;
  count: number;
  heartbeatIntervalMs: number;
}

/** Stream ids of the last of the first heartbeats. */
export interface LivingReport {
  lastId: string;
}

/** What happened when, ms since the epoch. */
export interface CausesReport {
  /** When each was due. */
  dueMs: readonly number[];
  /** Of heartbeats: when Redis says that it was told. */
  toldMs: readonly number[];
}

process.on("message", (order: CausesOrder | LivingOrder) => {
  void carryOut(order).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit());

function carryOut(order: CausesOrder | LivingOrder): Promise<CausesReport | LivingReport> {
  switch (order.kind) {
    case "heartbeats":
      return sendHeartbeats(order);
    case "publications":
      return publish(order);
    case "living":
      return live(order);
  }
}

async function sendHeartbeats(order: CausesOrder & { kind: "heartbeats" }): Promise<CausesReport> {
  const redis = new Redis(order.redisUrl, { protocol: 2 });
  await redis.ping();
  const dueMs: number[] = [];
  const ids: Promise<string>[] = [];
  await pace(order.pace, (index, due) => {
    dueMs.push(due);
    ids.push(sendHeartbeat(redis, order.server, [colleagueId(index)]));
  }).isDone;
  const toldMs = (await Promise.all(ids)).map((id) => Number(id.split("-")[0]));
  redis.disconnect();
  return { dueMs, toldMs };
}

async function publish(order: CausesOrder & { kind: "publications" }): Promise<CausesReport> {
  const publisher = await openPublisher(order.port);
  const dueMs: number[] = [];
  await pace(order.pace, (index, due) => {
    dueMs.push(due);
    publisher.publish([JSON.stringify({ client: colleagueId(index), status: "ONLINE", since: Math.floor(due) })]);
  }).isDone;
  publisher.close();
  return { dueMs, toldMs: [] };
}

async function live({ redisUrl, server, count, heartbeatIntervalMs }: LivingOrder): Promise<LivingReport> {
  const redis = new Redis(redisUrl, { protocol: 2 });
  const forever = new AbortController().signal;
  const ids = await keepAlive(redis, server, redisClientIds(count), heartbeatIntervalMs, forever).isUp;
  return { lastId: ids.at(-1) ?? "0-0" };
}
