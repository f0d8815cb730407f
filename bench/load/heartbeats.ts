import { setTimeout as sleep } from "node:timers/promises";
import { PresenceFunctions, startTriggerHost } from "@presence/gears";
import { HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import { pino } from "pino";
import type { RedisProcess } from "../setup/redis-process.ts";
import { onScopeEnd } from "../setup/scope.ts";

/** As many clients as a realtime server puts into one entry. */
export const CLIENTS_PER_ENTRY = 500;
const ENTRIES_IN_FLIGHT = 20;
const POLL_MS = 2;
/** A server spreads its heartbeats over this many parts of the interval. */
const PARTS = 20;

export const REMOTE_SERVER_ID = "elsewhere";

export const SILENT = pino({ level: "silent" });

/** Ids that `redis-benchmark` can generate too: its `__rand_int__` has twelve digits. */
export function clientIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `client-${String(index).padStart(12, "0")}`);
}

/** Starts a trigger host, which is stopped with the scope. */
export function startHost(redisUrl: string, heartbeatIntervalMs: number, partitionCount?: number): void {
  const partitions = partitionCount === undefined ? {} : { partitionCount };
  const host = startTriggerHost({ redisUrl, heartbeatIntervalMs, logger: SILENT, ...partitions });
  onScopeEnd(() => host.stop());
}

/** Registers servers, so that the platform accepts their heartbeats. */
export async function joinServers(
  redis: Redis,
  heartbeatIntervalMs: number,
  ...servers: readonly string[]
): Promise<PresenceFunctions> {
  const functions = await PresenceFunctions.connect(redis, heartbeatIntervalMs, SILENT);
  for (const server of servers) await functions.join(server);
  return functions;
}

/** Another realtime server, as the platform sees it: it joins, and sends heartbeats of its clients. */
export async function joinRemoteServer({ commands }: RedisProcess, heartbeatIntervalMs: number) {
  const functions = await joinServers(commands, heartbeatIntervalMs, REMOTE_SERVER_ID);
  return {
    /** Joins again: the platform forgets a server that sends nothing for long. */
    join: () => functions.join(REMOTE_SERVER_ID),
    /** Sends one heartbeat of these clients. @returns the time of each entry, ms since the epoch by Redis's clock */
    heartbeat: async (clients: readonly string[]) =>
      (await sendHeartbeats(commands, REMOTE_SERVER_ID, clients)).map(timeOf),
  };
}

/** The time of an entry by Redis's clock, ms since the epoch. */
export function timeOf(entryId: string): number {
  return Number(entryId.split("-")[0]);
}

/** Adds one entry to the heartbeat stream. @returns its id */
export async function sendHeartbeat(redis: Redis, server: string, clients: readonly string[]): Promise<string> {
  const fields = clients.flatMap((client) => ["client", client]);
  return (await redis.xadd(HEARTBEAT_KEY, "*", "server", server, ...fields)) ?? "0-0";
}

/** Sends one heartbeat of each client, as a server does. @returns the ids of the entries */
async function sendHeartbeats(redis: Redis, server: string, clients: readonly string[]): Promise<string[]> {
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

/** Sends one heartbeat of each client, and waits until a trigger host has processed them. */
export async function refresh(redis: Redis, server: string, clients: readonly string[], sender = redis): Promise<void> {
  await untilProcessed(redis, (await sendHeartbeats(sender, server, clients)).at(-1) ?? "0-0");
}

/**
 * Sends heartbeats of all clients, spread over the interval, until the signal.
 *
 * @returns a promise for the ids of each client's first entry, and one for the end
 */
export function keepAlive(
  redis: Redis,
  server: string,
  clients: readonly string[],
  intervalMs: number,
  signal: AbortSignal,
) {
  const isUp = sendHeartbeats(redis, server, clients);
  const size = Math.ceil(clients.length / PARTS);
  const isDone = isUp.then(async () => {
    for (let part = 0, dueMs = performance.now(); !signal.aborted; part = (part + 1) % PARTS) {
      dueMs += intervalMs / PARTS;
      await sleep(Math.max(0, dueMs - performance.now()));
      const end = Math.min((part + 1) * size, clients.length);
      for (let start = part * size; start < end; start += CLIENTS_PER_ENTRY) {
        await sendHeartbeat(redis, server, clients.slice(start, Math.min(start + CLIENTS_PER_ENTRY, end)));
      }
    }
  });
  return { isUp, isDone };
}

/** Resolves when a trigger host has processed the heartbeat stream up to this entry. */
export async function untilProcessed(redis: Redis, lastId: string): Promise<void> {
  while (compareIds((await readGroup(redis)).lastId, lastId) < 0) await sleep(POLL_MS);
}

/** Resolves when it has processed all that was added meanwhile as well. */
export async function untilCaughtUp(redis: Redis, lastId: string): Promise<void> {
  await untilProcessed(redis, lastId);
  while ((await readGroup(redis)).lag !== 0) await sleep(POLL_MS);
}

/** The consumer group of the heartbeat stream. */
async function readGroup(redis: Redis): Promise<{ lastId: string; lag: unknown }> {
  const [group = []] = (await redis.xinfo("GROUPS", HEARTBEAT_KEY).catch(() => [])) as unknown[][];
  const field = (name: string) => group[group.indexOf(name) + 1];
  return { lastId: String(field("last-delivered-id") ?? "0-0"), lag: field("lag") };
}

function compareIds(one: string, other: string): number {
  const [oneMs = 0, oneCount = 0] = one.split("-").map(Number);
  const [otherMs = 0, otherCount = 0] = other.split("-").map(Number);
  return oneMs - otherMs || oneCount - otherCount;
}
