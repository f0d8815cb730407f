import { EVERYONE } from "@presence/gears/keys";
import { downstreamKey } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { RedisProcess } from "../setup/redis-process.ts";
import { onScopeEnd } from "../setup/scope.ts";
import { joinServers } from "./heartbeats.ts";

const BLOCK_MS = 1_000;
const JOIN_MS = 200;
const MAX_ENTRIES = 2_000;

/** Field of an entry. */
type FieldOf = (name: string) => string;

/** Calls `onEntry` for each entry of a server's stream, until the scope ends. */
export function readServerStream(redis: Redis, server: string, onEntry: (field: FieldOf) => void): void {
  const key = downstreamKey(server);
  let isStopping = false;
  const read = async () => {
    for (let cursor = "0-0"; !isStopping; ) {
      const reply = await redis.xread("COUNT", MAX_ENTRIES, "BLOCK", BLOCK_MS, "STREAMS", key, cursor);
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        cursor = id;
        onEntry((name) => fields[fields.indexOf(name) + 1] ?? "");
      }
    }
  };
  read().catch(() => {
    // The scope has ended during a blocked read.
  });
  onScopeEnd(() => {
    isStopping = true;
    redis.disconnect();
  });
}

/** Joins the platform as a server that watches everyone. @returns a count of the changes it receives */
export async function startProbe(redis: RedisProcess, heartbeatIntervalMs: number): Promise<{ changes: number }> {
  const id = "probe";
  const seen = { changes: 0 };
  const functions = await joinServers(redis.commands, heartbeatIntervalMs, id);
  await functions.read(id, "first", [EVERYONE], []);
  // The platform forgets a server that sends nothing for longer than a lease.
  const timer = setInterval(() => void functions.join(id).catch(() => {}), JOIN_MS);
  onScopeEnd(() => clearInterval(timer));
  readServerStream(redis.connect(), id, (field) => {
    if (["ONLINE", "OFFLINE"].includes(field("status"))) seen.changes += 1;
  });
  return seen;
}
