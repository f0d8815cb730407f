import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { CLIENTS_PER_ENTRY, sendHeartbeat, sendHeartbeats } from "./redis-clients.ts";

/** A server spreads its heartbeats over the interval. */
const PARTS = 20;

/**
 * Heartbeats of all clients, spread over the interval as a server does it.
 *
 * @returns when all have been named once, with the ids of those entries; and when it has stopped, after the signal
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
