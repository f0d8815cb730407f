import { setTimeout as sleep } from "node:timers/promises";
import type { RawStream } from "./raw-stream.ts";

const OPENING_AT_ONCE = 100;
const POLL_MS = 5;
const QUIET_MS = 200;
const PATIENCE_MS = 30_000;

/** Opens `count` streams, not all at once: a listen queue is short. */
export async function openCrowd(count: number, open: (index: number) => Promise<RawStream>): Promise<RawStream[]> {
  const streams: RawStream[] = [];
  for (let start = 0; start < count; start += OPENING_AT_ONCE) {
    const size = Math.min(OPENING_AT_ONCE, count - start);
    streams.push(...(await Promise.all(Array.from({ length: size }, (_, offset) => open(start + offset)))));
  }
  return streams;
}

/** Resolves when no stream has had a byte for a while. */
export function untilQuiet(streams: readonly RawStream[], quietMs = QUIET_MS): Promise<void> {
  return until(() => {
    const quietSinceMs = performance.now() - quietMs;
    return streams.every(({ lastReadMs }) => lastReadMs < quietSinceMs);
  });
}

/** Resolves when each stream has had that many JSON objects since it was reset. */
export function untilTold(streams: readonly RawStream[], objects: number): Promise<void> {
  return until(() => streams.every((stream) => stream.objects >= objects));
}

/** Looks every few milliseconds whether `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error("what was waited for did not come within half a minute.");
    await sleep(POLL_MS);
  }
}

/** When the last of the streams was last read, ms on the monotonic clock. */
export function lastReadMs(streams: readonly RawStream[]): number {
  return streams.reduce((latest, stream) => Math.max(latest, stream.lastReadMs), 0);
}

export function resetAll(streams: readonly RawStream[]): void {
  for (const stream of streams) stream.reset();
}

export function closeAll(streams: readonly RawStream[]): void {
  for (const stream of streams) stream.close();
}
