import type { Redis } from "./redis.ts";

const FIELD = "run_id:";
/** A run id is 40 hexadecimal digits (https://redis.io/docs/latest/commands/info/). */
const ID_LENGTH = 40;

/** Identifies the running Redis process. A restart has another one, and so has a replica that is promoted. */
export function readRunId(redis: Redis): string {
  // RedisGears answers with a `String` object.
  const info = String(redis.call("INFO", "server"));
  const start = info.indexOf(FIELD) + FIELD.length;
  return info.slice(start, start + ID_LENGTH);
}
