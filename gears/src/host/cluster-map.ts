import { isIP } from "node:net";
import { Redis } from "ioredis";
import type { RedisAddress, RedisNode } from "./redis-address.ts";

export type ClusterAddress = Extract<RedisAddress, { kind: "cluster" }>;

/** A range of slots and the primary that owns it. */
interface SlotRange {
  first: number;
  last: number;
  primary: RedisNode;
}

/** How long a lookup is cached, in ms, so that connections that are opened at the same time share one. */
const CACHE_MS = 100;
const REPLY_TIMEOUT_MS = 2_000;

interface Lookup {
  ranges: Promise<SlotRange[]>;
  atMs: number;
}

const lookups = new Map<string, Lookup>();
/** The primaries of the last successful lookup. The configured nodes may no longer exist. */
const knownPrimaries = new Map<string, RedisNode[]>();

/**
 * The current primary of a slot.
 *
 * @param slot if omitted, any primary
 * @throws if no node replies, or the slot has no primary
 */
export async function primaryOf(address: ClusterAddress, slot: number | undefined): Promise<RedisNode> {
  const ranges = await currentRanges(address);
  const range = slot === undefined ? ranges[0] : ranges.find(({ first, last }) => first <= slot && slot <= last);
  if (!range) throw new Error(slot === undefined ? "the cluster has no primaries" : `no node has slot ${slot}`);
  return range.primary;
}

/** The TLS option for SNI, with which a node selects its certificate. SNI allows host names only, not IP addresses. */
export function serverNameOf(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

function currentRanges(address: ClusterAddress): Promise<SlotRange[]> {
  const cluster = JSON.stringify(address.nodes);
  const cached = lookups.get(cluster);
  const nowMs = performance.now();
  if (cached && nowMs - cached.atMs < CACHE_MS) return cached.ranges;
  const nodes = [...address.nodes, ...(knownPrimaries.get(cluster) ?? [])];
  const unique = [...new Map(nodes.map((node) => [`${node.host} ${node.port}`, node])).values()];
  const ranges = firstReply(unique.map((node) => askNode(address, node)));
  lookups.set(cluster, { ranges, atMs: nowMs });
  ranges.then(
    (found) =>
      knownPrimaries.set(
        cluster,
        found.map(({ primary }) => primary),
      ),
    () => {},
  );
  return ranges;
}

/** @throws the error of the last node, if all fail */
async function firstReply(replies: readonly Promise<SlotRange[]>[]): Promise<SlotRange[]> {
  try {
    return await Promise.any(replies);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors.at(-1) : error;
  }
}

async function askNode(address: ClusterAddress, { host, port }: RedisNode): Promise<SlotRange[]> {
  const redis = new Redis({
    host,
    port,
    protocol: 2,
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
    connectTimeout: REPLY_TIMEOUT_MS,
    commandTimeout: REPLY_TIMEOUT_MS,
    ...(address.username !== undefined && { username: address.username }),
    ...(address.password !== undefined && { password: address.password }),
    ...(address.isSecure && { tls: serverNameOf(host) }),
  });
  let reason: Error | undefined;
  redis.on("error", (error: Error) => {
    reason ??= error;
  });
  try {
    await redis.connect();
    return readRanges(await redis.call("CLUSTER", "SLOTS"), host);
  } catch (error) {
    // The rejection says only that the connection was closed. The error event has the cause.
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}

/** @param askedHost the host of a node that does not know its own */
function readRanges(reply: unknown, askedHost: string): SlotRange[] {
  if (!Array.isArray(reply)) return [];
  return reply.map(([first, last, primary]: [number, number, [string | null, number]]) => ({
    first: Number(first),
    last: Number(last),
    primary: { host: primary[0] || askedHost, port: Number(primary[1]) },
  }));
}
