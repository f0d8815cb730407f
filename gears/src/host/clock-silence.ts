import type { Redis } from "ioredis";
import { STATE_KEY } from "../presence/keys.ts";

/**
 * For how long no trigger host has swept, in ms by Redis's clock; `undefined` where none ever has.
 *
 * Works with the rights of a server, and changes nothing.
 */
export async function readClockSilenceMs(redis: Redis): Promise<number | undefined> {
  const [clock, [seconds, microseconds]] = await Promise.all([redis.hget(STATE_KEY, "clock"), redis.time()]);
  if (clock === null) return undefined;
  const nowMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  // A sweep may have come between the two answers.
  return Math.max(0, nowMs - Number(clock));
}
