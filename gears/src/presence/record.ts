import { RECORDS_KEY } from "./keys.ts";
import { inChunks, type Redis, textOf, valuesOf } from "./redis.ts";

/** The last status change of a client. */
export interface ClientRecord {
  status: "ONLINE" | "OFFLINE";
  /** When it happened, ms since the epoch. */
  at: number;
  /** The version of its event. */
  version: string;
  /** The version of the client's change before it; 0 if there was none. */
  previous: string;
  /** The server of the client's lease. */
  server: string;
}

export function readRecord(redis: Redis, client: string): ClientRecord | undefined {
  const text = textOf(redis.call("HGET", RECORDS_KEY, client));
  return text === undefined ? undefined : parseRecord(text);
}

/** Calls `visit` with the record of each client, in order. Reads many records per call. */
export function forEachRecord(
  redis: Redis,
  clients: readonly string[],
  visit: (client: string, record: ClientRecord | undefined, index: number) => void,
): void {
  let count = 0;
  inChunks(clients, (chunk) => {
    const texts = valuesOf(redis.call("HMGET", RECORDS_KEY, ...chunk));
    chunk.forEach((client, index) => {
      const text = textOf(texts[index]);
      visit(client, text === undefined ? undefined : parseRecord(text), count);
      count += 1;
    });
  });
}

export function writeRecord(redis: Redis, client: string, record: ClientRecord): void {
  redis.call("HSET", RECORDS_KEY, client, formatRecord(record));
}

/** The format of a record in Redis: fields separated by spaces. */
export function formatRecord({ status, at, version, server, previous }: ClientRecord): string {
  return `${status} ${at} ${version} ${server} ${previous}`;
}

/** Parses what `formatRecord` returns. */
export function parseRecord(text: string): ClientRecord {
  const parts = text.split(" ");
  const version = parts[2] ?? "0";
  return {
    status: parts[0] === "ONLINE" ? "ONLINE" : "OFFLINE",
    at: Number(parts[1]),
    version,
    server: parts[3] ?? "",
    // Records of older libraries have no `previous`. With `version` in its place, no reader assumes that it missed nothing.
    previous: parts[4] ?? version,
  };
}
