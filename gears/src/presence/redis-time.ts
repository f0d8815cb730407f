import { numberOf, type Redis, valuesOf } from "./redis.ts";

/** A reading of Redis's clock, the only clock that the platform uses. */
export interface RedisTime {
  /** ms since the epoch */
  ms: number;
  /** µs since the epoch */
  us: number;
}

export function readClock(redis: Redis): RedisTime {
  const reply = valuesOf(redis.call("TIME"));
  const seconds = numberOf(reply[0]);
  const microseconds = numberOf(reply[1]);
  return { ms: seconds * 1000 + Math.floor(microseconds / 1000), us: seconds * 1_000_000 + microseconds };
}

/** Formats µs in decimal. Lua prints at most 14 digits of a number, and these have 16. */
export function formatMicroseconds(us: number): string {
  const rest = us % 1000;
  const padding = rest < 10 ? "00" : rest < 100 ? "0" : "";
  return `${Math.floor(us / 1000)}${padding}${rest}`;
}
