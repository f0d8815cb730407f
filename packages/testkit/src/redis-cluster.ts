import { Cluster, Redis } from "ioredis";
import type { Certificate } from "./certificate.ts";
import { RedisServer } from "./redis-server.ts";
import { waitFor } from "./wait-for.ts";

const SLOTS = 16_384;
/** Silence after which the other nodes take a node for failed, in ms. */
const NODE_TIMEOUT_MS = 1_000;
const START_LIMIT_MS = 20_000;
const KEYS_PER_MIGRATION = 4;
const MIGRATION_LIMIT_MS = 5_000;

export interface RedisClusterOptions {
  /** 3 by default. */
  primaries?: number;
  /** Whether each primary has a replica for failover; true by default. */
  hasReplicas?: boolean;
  /** Makes the nodes speak TLS only, with clients and with each other. */
  certificate?: Certificate;
}

interface Node {
  server: RedisServer;
  admin: Redis;
  id: string;
}

/** A Redis Cluster of real processes on 127.0.0.1: primaries, which share the slots evenly, and their replicas. */
export class RedisCluster {
  readonly #nodes: Node[] = [];
  readonly #primaryCount: number;

  private constructor(primaryCount: number) {
    this.#primaryCount = primaryCount;
  }

  /**
   * Resolves when every node knows all others, and each replica is in sync with its primary.
   *
   * @throws if a node does not start; the others do not run then
   */
  static async start({
    primaries = 3,
    hasReplicas = true,
    certificate,
  }: RedisClusterOptions = {}): Promise<RedisCluster> {
    const cluster = new RedisCluster(primaries);
    try {
      await cluster.#startNodes(hasReplicas ? 2 * primaries : primaries, certificate);
      await cluster.#join();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /**
   * For `REDIS_URL`: the nodes that were primaries at the start. A single one is repeated, because one URL alone does not
   * stand for a cluster.
   */
  get url(): string {
    const urls = this.#nodes.slice(0, this.#primaryCount).map(({ server }) => server.url);
    return (urls.length === 1 ? [...urls, ...urls] : urls).join(",");
  }

  /** All processes: first those that started as primaries, then their replicas in the same order. */
  get servers(): RedisServer[] {
    return this.#nodes.map(({ server }) => server);
  }

  /** A cluster client; not for a cluster with TLS. */
  connect(): Cluster {
    return new Cluster(this.servers.map(({ port }) => ({ host: "127.0.0.1", port })));
  }

  /** The process that serves the slot, according to a majority of the nodes. */
  async primaryOf(slot: number): Promise<RedisServer | undefined> {
    const votes = await Promise.all(this.#nodes.map(({ admin }) => portOf(admin, slot)));
    return this.servers.find(({ port }) => votes.filter((vote) => vote === port).length > this.#nodes.length / 2);
  }

  /**
   * All keys that match, of all primaries.
   *
   * @param pattern as of `SCAN`
   * @throws while a node that serves slots does not run
   */
  async keys(pattern: string): Promise<string[]> {
    const asked = this.#nodes.find(({ admin }) => admin.status === "ready");
    if (!asked) throw new Error("No node runs.");
    const ports = new Set((await slotRanges(asked.admin)).map(primaryPort));
    const keys: string[] = [];
    for (const { server, admin } of this.#nodes) {
      if (!ports.has(server.port)) continue;
      if (admin.status !== "ready") throw new Error(`The primary at port ${server.port} does not run.`);
      const batches = admin.scanStream({ match: pattern, count: 1_000 }) as AsyncIterable<string[]>;
      for await (const batch of batches) keys.push(...batch);
    }
    return keys;
  }

  /**
   * Migrates a slot and its keys to another primary while clients use them.
   *
   * @param onPartlyMoved awaited when the first keys have moved
   */
  async moveSlot(slot: number, to: RedisServer, onPartlyMoved: () => Promise<void> = async () => {}): Promise<void> {
    const source = this.#nodeOf(await this.primaryOf(slot));
    const target = this.#nodeOf(to);
    await target.admin.call("CLUSTER", "SETSLOT", String(slot), "IMPORTING", source.id);
    await source.admin.call("CLUSTER", "SETSLOT", String(slot), "MIGRATING", target.id);
    const nextKeys = async () =>
      (await source.admin.call("CLUSTER", "GETKEYSINSLOT", String(slot), String(KEYS_PER_MIGRATION))) as string[];
    let isFirst = true;
    for (let keys = await nextKeys(); keys.length > 0; keys = await nextKeys()) {
      const where = ["127.0.0.1", String(to.port), "", "0", String(MIGRATION_LIMIT_MS)];
      await source.admin.call("MIGRATE", ...where, "KEYS", ...keys);
      if (isFirst) await onPartlyMoved();
      isFirst = false;
    }
    for (const { admin } of [target, source, ...this.#nodes]) {
      await admin.call("CLUSTER", "SETSLOT", String(slot), "NODE", target.id).catch(ignoreReplica);
    }
  }

  /** Deletes all keys. */
  async flush(): Promise<void> {
    await Promise.all(this.#nodes.map(({ admin }) => admin.flushall().catch(ignoreReplica)));
  }

  async stop(): Promise<void> {
    for (const { admin } of this.#nodes) admin.disconnect();
    await Promise.all(this.#nodes.map(({ server }) => server.stop()));
  }

  async #startNodes(count: number, certificate: Certificate | undefined): Promise<void> {
    const started = await Promise.allSettled(Array.from({ length: count }, () => startNode(certificate)));
    // Also if others failed, so that `stop` ends these.
    this.#nodes.push(...started.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : [])));
    for (const outcome of started) if (outcome.status === "rejected") throw outcome.reason;
  }

  async #join(): Promise<void> {
    const primaries = this.#nodes.slice(0, this.#primaryCount);
    for (const [index, { admin }] of primaries.entries()) {
      const first = Math.ceil((index * SLOTS) / primaries.length);
      const last = Math.ceil(((index + 1) * SLOTS) / primaries.length) - 1;
      await admin.call("CLUSTER", "ADDSLOTSRANGE", String(first), String(last));
    }
    for (const [index, { admin }] of this.#nodes.entries()) {
      await admin.call("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
    }
    const [first, ...others] = this.#nodes;
    for (const { server } of others) {
      await first?.admin.call("CLUSTER", "MEET", "127.0.0.1", String(server.port), String(server.busPort));
    }
    await this.#waitForAll(
      "nodes know each other",
      async ({ admin }) => (await countKnown(admin)) === this.#nodes.length,
    );
    for (const [index, { admin }] of this.#nodes.slice(this.#primaryCount).entries()) {
      await admin.call("CLUSTER", "REPLICATE", primaries[index]?.id ?? "");
    }
    await this.#waitForAll("nodes are in sync", async ({ admin }) => {
      const [cluster, replication] = [String(await admin.call("CLUSTER", "INFO")), await admin.info("replication")];
      const isLinked = replication.includes("role:master") || replication.includes("master_link_status:up");
      return cluster.includes("cluster_state:ok") && isLinked;
    });
    if (this.#nodes.length > this.#primaryCount) {
      await this.#waitForAll("nodes know all replicas", async ({ admin }) =>
        (await slotRanges(admin)).every((range) => range.length > 3),
      );
    }
  }

  async #waitForAll(what: string, holds: (node: Node) => Promise<boolean>): Promise<void> {
    const all = async () => (await Promise.all(this.#nodes.map(holds))).every(Boolean);
    await waitFor(what, all, { timeoutMs: START_LIMIT_MS });
  }

  #nodeOf(server: RedisServer | undefined): Node {
    const node = this.#nodes.find((each) => each.server === server);
    if (!node) throw new Error("The cluster has no such node.");
    return node;
  }
}

async function startNode(certificate: Certificate | undefined): Promise<Node> {
  const server = await RedisServer.start({
    ...(certificate && { certificate }),
    isClusterNode: true,
    args: ["--cluster-node-timeout", String(NODE_TIMEOUT_MS), "--repl-diskless-sync-delay", "0"],
  });
  const admin = new Redis(server.url, {
    protocol: 2,
    maxRetriesPerRequest: 0,
    ...(certificate && { tls: { ca: certificate.text } }),
  });
  // Tests kill nodes: commands fail then.
  admin.on("error", () => {});
  try {
    return { server, admin, id: String(await admin.call("CLUSTER", "MYID")) };
  } catch (error) {
    admin.disconnect();
    await server.stop();
    throw error;
  }
}

async function countKnown(admin: Redis): Promise<number> {
  const nodes = String(await admin.call("CLUSTER", "NODES"));
  const lines = nodes.trim().split("\n");
  return lines.filter((line) => !line.includes("handshake")).length;
}

/** First slot, last slot, primary and replicas of each range. */
async function slotRanges(admin: Redis): Promise<unknown[][]> {
  return (await admin.call("CLUSTER", "SLOTS")) as unknown[][];
}

async function portOf(admin: Redis, slot: number): Promise<number | undefined> {
  if (admin.status !== "ready") return undefined;
  const ranges = await slotRanges(admin).catch(() => []);
  const range = ranges.find(([first, last]) => Number(first) <= slot && slot <= Number(last));
  return range && primaryPort(range);
}

function primaryPort(range: readonly unknown[]): number | undefined {
  return Array.isArray(range[2]) ? Number(range[2][1]) : undefined;
}

/** Replicas, and nodes that do not run, refuse writes and changes of slots. */
function ignoreReplica(error: unknown): void {
  if (!(error instanceof Error && /replica|READONLY|only with masters|closed|max retries/i.test(error.message)))
    throw error;
}
