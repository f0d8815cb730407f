import type { Heartbeat } from "./presence.ts";

/**
 * The heartbeat in a stream entry: field `server` first, then a field `client` for each client.
 *
 * @param atMs the time in the entry's id
 * @param fields fields and values in turn, as they stand in the entry
 * @returns `undefined` where the first field isn't the server
 */
export function readHeartbeat(atMs: number, fields: readonly unknown[]): Heartbeat | undefined {
  const server = fields[1];
  if (fields[0] !== "server" || typeof server !== "string") return undefined;
  const clients: string[] = [];
  // Counted once, as to Lua the end of a list is a search.
  const length = fields.length;
  let count = 0;
  for (let index = 2; index + 1 < length; index += 2) {
    const value = fields[index + 1];
    // RedisGears has no value for bytes that are no UTF-8.
    if (fields[index] === "client" && typeof value === "string") {
      clients[count] = value;
      count += 1;
    }
  }
  return { atMs, server, clients };
}
