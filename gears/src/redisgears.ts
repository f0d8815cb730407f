/**
 * The RedisGears 2 library: a stream trigger on `heartbeat`, a keyspace trigger on the leases, and functions for servers and
 * the deadline clock. `d` comes from the library's configuration: `{"heartbeatIntervalMs":5000}`.
 *
 * RedisGears drops keyspace events of a library's own writes, so the code does not rely on them.
 */
import { HEARTBEAT_KEY, LEASE_KEY_PREFIX } from "../../packages/protocol/src/redis-keys.ts";
import { LIBRARY_VERSION } from "./library-version.ts";
import { readHeartbeat } from "./presence/entry.ts";
import { forget, unwatch } from "./presence/interest.ts";
import { applyHeartbeat, checkLeases, join, leave, read, sweep } from "./presence/presence.ts";
import type { Redis } from "./presence/redis.ts";
import { timingOf } from "./presence/timing.ts";

/** The API that RedisGears passes to callbacks. */
interface GearsClient {
  call: (command: string, ...args: string[]) => unknown;
}

interface StreamRecord {
  id: [bigint, bigint];
  stream_name: string;
  record: [string, string][];
}

/** The environment of a RedisGears 2 library. */
declare const redis: {
  config?: { heartbeatIntervalMs?: number };
  registerFunction: (name: string, callback: (client: GearsClient, ...args: string[]) => unknown) => void;
  registerStreamTrigger: (
    name: string,
    prefix: string,
    callback: (client: GearsClient, data: StreamRecord) => void,
    options: { window: number; isStreamTrimmed: boolean },
  ) => void;
  registerKeySpaceTrigger: (
    name: string,
    prefix: string,
    callback: (client: GearsClient, data: { event: string; key: string }) => void,
  ) => void;
};

const ID_PATTERN = /^[A-Za-z0-9._~-]{1,64}$/;
const DEFAULT_INTERVAL_MS = 5000;
const timing = timingOf(redis.config?.heartbeatIntervalMs ?? DEFAULT_INTERVAL_MS);

function redisOf(client: GearsClient): Redis {
  return {
    call: (command, ...args) => client.call(command, ...args),
    attempt: (command, ...args) => {
      try {
        return client.call(command, ...args);
      } catch (error) {
        return { error };
      }
    },
    contactsIn,
    isLegalId: (id) => ID_PATTERN.test(id),
  };
}

function contactsIn(json: string): string[] {
  try {
    const { contacts } = JSON.parse(json) as { contacts?: unknown };
    return Array.isArray(contacts) ? contacts.filter((contact) => typeof contact === "string") : [];
  } catch {
    return [];
  }
}

redis.registerStreamTrigger(
  "heartbeats",
  HEARTBEAT_KEY,
  (client, { id, stream_name: stream, record }) => {
    if (stream !== HEARTBEAT_KEY) return;
    const heartbeat = readHeartbeat(Number(id[0]), record.flat());
    if (heartbeat) applyHeartbeat(redisOf(client), timing, heartbeat);
  },
  { window: 1, isStreamTrimmed: true },
);
redis.registerKeySpaceTrigger("leases", LEASE_KEY_PREFIX, (client, { key }) => {
  checkLeases(redisOf(client), timing, [key.slice(LEASE_KEY_PREFIX.length)]);
});

redis.registerFunction("version", () => String(LIBRARY_VERSION));
redis.registerFunction("check", (client, ...clients) => checkLeases(redisOf(client), timing, clients));
redis.registerFunction("sweep", (client) => {
  const { nowMs, nextMs } = sweep(redisOf(client), timing);
  return [String(nowMs), nextMs === undefined ? "" : String(nextMs)];
});
redis.registerFunction("join", (client, server = "") => join(redisOf(client), timing, server));
redis.registerFunction("leave", (client, server = "", id = "") => leave(redisOf(client), timing, server, id));
redis.registerFunction("read", (client, server = "", newEpoch = "", watchedCount = "0", ...names) =>
  read(redisOf(client), server, newEpoch, names.slice(0, Number(watchedCount)), names.slice(Number(watchedCount))),
);
redis.registerFunction("unwatch", (client, server = "", ...watched) => unwatch(redisOf(client), server, watched));
redis.registerFunction("forget", (client, server = "") => (forget(redisOf(client), server) ? "0" : "1"));
