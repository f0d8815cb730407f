import { setTimeout as sleep } from "node:timers/promises";
import { onScopeEnd } from "../setup/scope.ts";
import type { RawStream } from "./raw-stream.ts";

const OPENING_AT_ONCE = 100;
const POLL_MS = 5;
const QUIET_MS = 200;
const TIMEOUT_MS = 30_000;

/** Opens `count` streams, a batch at a time because listen queues are short. They are closed with the scope. */
export async function openStreams(count: number, open: (index: number) => Promise<RawStream>): Promise<RawStream[]> {
  const streams: RawStream[] = [];
  onScopeEnd(() => closeAll(streams));
  for (let start = 0; start < count; start += OPENING_AT_ONCE) {
    const size = Math.min(OPENING_AT_ONCE, count - start);
    streams.push(...(await Promise.all(Array.from({ length: size }, (_, offset) => open(start + offset)))));
  }
  return streams;
}

/** Resolves when no stream has received a byte for a while. */
export function untilQuiet(streams: readonly RawStream[], quietMs = QUIET_MS): Promise<void> {
  return until(() => {
    const quietSinceMs = performance.now() - quietMs;
    return streams.every(({ lastReadMs }) => lastReadMs < quietSinceMs);
  });
}

/** Resolves when each stream has received that many JSON objects since it was reset. */
export function untilReceived(streams: readonly RawStream[], objects: number): Promise<void> {
  return until(() => streams.every((stream) => stream.objects >= objects));
}

/** Checks every few milliseconds. @throws if the condition does not hold within half a minute */
export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error("timed out after half a minute.");
    await sleep(POLL_MS);
  }
}

/** When any of the streams was last read, ms on the monotonic clock. */
export function lastReadMs(streams: readonly RawStream[]): number {
  return streams.reduce((latest, stream) => Math.max(latest, stream.lastReadMs), 0);
}

export function resetAll(streams: readonly RawStream[]): void {
  for (const stream of streams) stream.reset();
}

export function closeAll(streams: readonly RawStream[]): void {
  for (const stream of streams) stream.close();
}

/**
 * What the server and this process, which reads the streams, used during `work`.
 *
 * @param work returns how long it took, ms
 * @returns the processor time of the server, and the share of a core that this process used
 */
export async function measureUsage(
  cpuMs: () => Promise<number>,
  work: () => Promise<number>,
): Promise<{ wallMs: number; usedMs: number; readerShare: number }> {
  const serverBefore = await cpuMs();
  const readerBefore = process.cpuUsage();
  const wallMs = await work();
  const { user, system } = process.cpuUsage(readerBefore);
  const usedMs = (await cpuMs()) - serverBefore;
  return { wallMs, usedMs, readerShare: (user + system) / 1000 / wallMs };
}
