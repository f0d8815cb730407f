import { RECORDS_KEY } from "./keys.ts";
import { inParts, type Redis, textOf, valuesOf } from "./redis.ts";

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

/** As `readRecord`, for each of many, in their order. */
export function forEachRecord(
  redis: Redis,
  clients: readonly string[],
  visit: (client: string, record: ClientRecord | undefined, index: number) => void,
): void {
  let count = 0;
  inParts(clients, (part) => {
    const texts = valuesOf(redis.call("HMGET", RECORDS_KEY, ...part));
    part.forEach((client, index) => {
      const text = textOf(texts[index]);
      visit(client, text === undefined ? undefined : parseRecord(text), count);
      count += 1;
    });
  });
}

export function writeRecord(redis: Redis, client: string, record: ClientRecord): void {
  redis.call("HSET", RECORDS_KEY, client, formatRecord(record));
}

/** As a record stands in Redis. */
export function formatRecord({ status, at, version, server, previous }: ClientRecord): string {
  return `${status} ${at} ${version} ${server} ${previous}`;
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
