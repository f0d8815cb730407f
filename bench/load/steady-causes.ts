/** A program of its own: causes events one after another, at a server that isn't told by itself when to send them. */
import { Redis } from "ioredis";
import { colleagueId } from "../contestants.ts";
import { openPublisher } from "../peers/nchan.ts";
import { type Pace, pace } from "./pace.ts";
import { sendHeartbeat } from "./redis-clients.ts";

/** Colleagues in their row, one each. */
export type CausesOrder =
  /** the first and only heartbeat of each, from this server: they come, and go when their lease runs out */
  | { kind: "heartbeats"; pace: Pace; redisUrl: string; server: string }
  /** a publication about each, by Nchan's publisher at this port */
  | { kind: "publications"; pace: Pace; port: number };

/** What happened when, ms since the epoch. */
export interface CausesReport {
  /** When each was due. */
  dueMs: readonly number[];
  /** Of heartbeats: when Redis says that it was told. */
  toldMs: readonly number[];
}

process.on("message", (order: CausesOrder) => {
  void carryOut(order).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit());

function carryOut(order: CausesOrder): Promise<CausesReport> {
  return order.kind === "heartbeats" ? sendHeartbeats(order) : publish(order);
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
