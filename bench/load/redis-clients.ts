import { setTimeout as sleep } from "node:timers/promises";
import { HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import { pino } from "pino";

/** As many clients as a realtime server names in one entry. */
export const CLIENTS_PER_ENTRY = 500;
const ENTRIES_IN_FLIGHT = 20;
const POLL_MS = 2;

export const SILENT = pino({ level: "silent" });

/** Ids that `redis-benchmark` can make as well: its `__rand_int__` has twelve digits. */
function redisClientId(index: number): string {
  return `client-${String(index).padStart(12, "0")}`;
}

export function redisClientIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => redisClientId(index));
}

/** One entry of the heartbeat stream. @returns its id */
export async function sendHeartbeat(redis: Redis, server: string, clients: readonly string[]): Promise<string> {
  const fields = clients.flatMap((client) => ["client", client]);
  return (await redis.xadd(HEARTBEAT_KEY, "*", "server", server, ...fields)) ?? "0-0";
}

/** One heartbeat of each of these clients, as a server sends them. @returns the entries' ids */
export async function sendHeartbeats(redis: Redis, server: string, clients: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  let inFlight: Promise<string>[] = [];
  for (let start = 0; start < clients.length; start += CLIENTS_PER_ENTRY) {
    inFlight.push(sendHeartbeat(redis, server, clients.slice(start, start + CLIENTS_PER_ENTRY)));
    if (inFlight.length < ENTRIES_IN_FLIGHT) continue;
    ids.push(...(await Promise.all(inFlight)));
    inFlight = [];
  }
  ids.push(...(await Promise.all(inFlight)));
  return ids;
}

/** Resolves when a trigger host has worked off the heartbeat stream up to this entry. */
export async function untilWorkedOff(redis: Redis, lastId: string): Promise<void> {
  for (;;) {
    const groups = (await redis.xinfo("GROUPS", HEARTBEAT_KEY).catch(() => [])) as unknown[][];
    const fields = groups[0] ?? [];
    if (isAtLeast(String(fields[fields.indexOf("last-delivered-id") + 1]), lastId)) return;
    await sleep(POLL_MS);
  }
}

/** Of two ids of stream entries. */
function isAtLeast(one: string, other: string): boolean {
  const [oneMs = 0, oneCount = 0] = one.split("-").map(Number);
  const [otherMs = 0, otherCount = 0] = other.split("-").map(Number);
  return oneMs > otherMs || (oneMs === otherMs && oneCount >= otherCount);
}
