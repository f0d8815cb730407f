import { RECORDS_KEY } from "../../../packages/protocol/src/redis-keys.ts";
import { type Redis, textOf } from "./redis.ts";

/** The last change of a client. */
export interface ClientRecord {
  status: "ONLINE" | "OFFLINE";
  /** When it happened, ms since the epoch. */
  at: number;
  /** Its position in the order of events. */
  version: string;
  /** The version of the change before it, 0 for none. */
  previous: string;
  /** The server that vouches, or vouched, for the client. */
  server: string;
}

export function readRecord(redis: Redis, client: string): ClientRecord | undefined {
  const text = textOf(redis.call("HGET", RECORDS_KEY, client));
  return text === undefined ? undefined : parseRecord(text);
}

export function writeRecord(redis: Redis, client: string, record: ClientRecord): void {
  const { status, at, version, server, previous } = record;
  redis.call("HSET", RECORDS_KEY, client, `${status} ${at} ${version} ${server} ${previous}`);
}

/** The record that its text spells. */
export function parseRecord(text: string): ClientRecord {
  const parts = text.split(" ");
  const version = parts[2] ?? "0";
  return {
    status: parts[0] === "ONLINE" ? "ONLINE" : "OFFLINE",
    at: Number(parts[1]),
    version,
    server: parts[3] ?? "",
    // A record without it is of an older library: it doesn't tell that nothing happened in between.
    previous: parts[4] ?? version,
  };
}
