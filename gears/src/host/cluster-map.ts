import { isIP } from "node:net";
import { Redis } from "ioredis";
import type { RedisAddress, RedisNode } from "./redis-address.ts";

export type ClusterAddress = Extract<RedisAddress, { kind: "cluster" }>;

/** A range of slots and the primary that has it. */
interface Range {
  first: number;
  last: number;
  primary: RedisNode;
}

/** How long an answer counts, in ms: many connections look for their primaries at once, and ask together. */
const LIFE_MS = 100;
const ANSWER_LIMIT_MS = 2_000;

interface Look {
  ranges: Promise<Range[]>;
  atMs: number;
}

const looks = new Map<string, Look>();
/** All primaries ever heard of, beside the nodes that one was told of: those may be gone by now. */
const learned = new Map<string, RedisNode[]>();

/**
 * Which node has a slot now.
 *
 * @param slot any primary will do where it is left out
 * @throws where no node can tell
 */
export async function primaryOf(address: ClusterAddress, slot: number | undefined): Promise<RedisNode> {
  const ranges = await currentRanges(address);
  const range = slot === undefined ? ranges[0] : ranges.find(({ first, last }) => first <= slot && slot <= last);
  if (!range) throw new Error(slot === undefined ? "the cluster has no primaries" : `no node has slot ${slot}`);
  return range.primary;
}

/** What TLS is to ask for, so that a node can choose among its certificates: only names may be asked for, not addresses. */
export function serverNameOf(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

function currentRanges(address: ClusterAddress): Promise<Range[]> {
  const name = JSON.stringify(address.nodes);
  const known = looks.get(name);
  const nowMs = performance.now();
  if (known && nowMs - known.atMs < LIFE_MS) return known.ranges;
  const nodes = [...address.nodes, ...(learned.get(name) ?? [])];
  const unique = [...new Map(nodes.map((node) => [`${node.host} ${node.port}`, node])).values()];
  const ranges = firstAnswer(unique.map((node) => askNode(address, node)));
  looks.set(name, { ranges, atMs: nowMs });
  ranges.then(
    (found) =>
      learned.set(
        name,
        found.map(({ primary }) => primary),
      ),
    () => {},
  );
  return ranges;
}

/** @throws why the last could not answer, where none could */
async function firstAnswer(asked: readonly Promise<Range[]>[]): Promise<Range[]> {
  try {
    return await Promise.any(asked);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors.at(-1) : error;
  }
}

async function askNode(address: ClusterAddress, { host, port }: RedisNode): Promise<Range[]> {
  const redis = new Redis({
    host,
    port,
    protocol: 2,
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
    connectTimeout: ANSWER_LIMIT_MS,
    commandTimeout: ANSWER_LIMIT_MS,
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
    // The answer says only that the connection was closed; the event says why.
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}

/** @param asked what a node is called that doesn't know its own name */
function readRanges(reply: unknown, asked: string): Range[] {
  if (!Array.isArray(reply)) return [];
  return reply.map(([first, last, primary]: [number, number, [string | null, number]]) => ({
    first: Number(first),
    last: Number(last),
    primary: { host: primary[0] || asked, port: Number(primary[1]) },
  }));
}
