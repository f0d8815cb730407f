import type { Redis } from "ioredis";
import { STATE_KEY } from "../presence/keys.ts";

/**
 * The time since a trigger host last swept, in ms by Redis's clock. `undefined` if none ever has.
 *
 * Only reads, and needs no more rights than a server.
 */
export async function readClockSilenceMs(redis: Redis): Promise<number | undefined> {
  const [clock, [seconds, microseconds]] = await Promise.all([redis.hget(STATE_KEY, "clock"), redis.time()]);
  if (clock === null) return undefined;
  const nowMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  // A sweep between the two replies would make it negative.
  return Math.max(0, nowMs - Number(clock));
}
