import type { Heartbeat } from "./presence.ts";

/**
 * Parses the stream entry of a heartbeat: field `server` first, then a field `client` for each client.
 *
 * @param atMs the time in the entry's id
 * @param fields alternating fields and values of the entry
 * @returns `undefined` if the first field is not `server`
 */
export function readHeartbeat(atMs: number, fields: readonly unknown[]): Heartbeat | undefined {
  const server = fields[1];
  if (fields[0] !== "server" || typeof server !== "string") return undefined;
  const clients: string[] = [];
  // Read once, because Lua finds a list's length by a search.
  const length = fields.length;
  let count = 0;
  for (let index = 2; index + 1 < length; index += 2) {
    const value = fields[index + 1];
    // RedisGears passes no value for bytes that are not UTF-8.
    if (fields[index] === "client" && typeof value === "string") {
      clients[count] = value;
      count += 1;
    }
  }
  return { atMs, server, clients };
}
