import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { pino } from "pino";
import { type Partition, partitionsOf } from "../src/host/partitions.ts";
import { createConnection } from "../src/host/redis-connection.ts";
import type { Certificate } from "./certificate.ts";
import { findFreePort, RedisServer } from "./redis-server.ts";

const SILENT = pino({ level: "silent" });
const SLOTS = 16_384;
/** For how long a node may be silent, in ms. */
const NODE_TIMEOUT_MS = 1_000;
const PATIENCE_MS = 20_000;
const PAUSE_MS = 50;
const MOVED_AT_ONCE = 4;
const MOVE_LIMIT_MS = 5_000;

export interface RedisClusterOptions {
  primaries?: number;
  /** Whether each primary has a replica, which takes its place. */
  hasReplicas?: boolean;
  /** Whether nodes speak TLS, and nothing else, with clients and each other; and with which certificate. */
  certificate?: Certificate;
}

export interface ClusterPartition extends Partition {
  /** A connection that follows its primary, and whose keys are its own. */
  connect(): Redis;
}

interface Node {
  server: RedisServer;
  admin: Redis;
  busPort: number;
  id: string;
}

/** Real Redis processes on loopback that are one cluster: primaries, which share the slots evenly, and their replicas. */
export class RedisCluster {
  readonly #nodes: Node[] = [];
  readonly #primaryCount: number;

  private constructor(primaryCount: number) {
    this.#primaryCount = primaryCount;
  }

  /** Resolves when every node knows of all others, and each replica has what its primary has. */
  static async start({
    primaries = 3,
    hasReplicas = true,
    certificate,
  }: RedisClusterOptions = {}): Promise<RedisCluster> {
    const cluster = new RedisCluster(primaries);
    try {
      const count = hasReplicas ? 2 * primaries : primaries;
      const nodes = await Promise.all(Array.from({ length: count }, () => startNode(certificate)));
      cluster.#nodes.push(...nodes);
      await cluster.#join();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** For `REDIS_URL`: the primaries of the beginning. One alone is named twice, as a single URL is that of no cluster. */
  get url(): string {
    const urls = this.#nodes.slice(0, this.#primaryCount).map(({ server }) => server.url);
    return (urls.length === 1 ? [...urls, ...urls] : urls).join(",");
  }

  /** The processes; those at first of the primaries, then of their replicas in the same order. */
  get servers(): RedisServer[] {
    return this.#nodes.map(({ server }) => server);
  }

  /** The parts that clients are spread over, as servers and hosts have them. */
  partitions(count: number): ClusterPartition[] {
    return partitionsOf(this.url, count)
      .filter((partition) => partition !== undefined)
      .map((partition) => ({
        ...partition,
        connect: () => createConnection(this.url, "test", SILENT, partition),
      }));
  }

  /** Which of the processes has the slot, as far as most of those who run know. */
  async primaryOf(slot: number): Promise<RedisServer | undefined> {
    const votes = await Promise.all(this.#nodes.map(({ admin }) => portOf(admin, slot)));
    return this.servers.find(({ port }) => votes.filter((vote) => vote === port).length > this.#nodes.length / 2);
  }

  /**
   * Takes a slot and all its keys to another primary, while everybody goes on using them.
   *
   * @param onHalf awaited when some of the keys have arrived there
   */
  async moveSlot(slot: number, to: RedisServer, onHalf: () => Promise<void> = async () => {}): Promise<void> {
    const source = this.#nodeOf(await this.primaryOf(slot));
    const target = this.#nodeOf(to);
    await target.admin.call("CLUSTER", "SETSLOT", String(slot), "IMPORTING", source.id);
    await source.admin.call("CLUSTER", "SETSLOT", String(slot), "MIGRATING", target.id);
    let isFirst = true;
    for (;;) {
      const keys = (await source.admin.call(
        "CLUSTER",
        "GETKEYSINSLOT",
        String(slot),
        String(MOVED_AT_ONCE),
      )) as string[];
      if (keys.length === 0) break;
      const where = ["127.0.0.1", String(to.port), "", "0", String(MOVE_LIMIT_MS)];
      await source.admin.call("MIGRATE", ...where, "KEYS", ...keys);
      if (isFirst) await onHalf();
      isFirst = false;
    }
    for (const { admin } of [target, source, ...this.#nodes]) {
      await admin.call("CLUSTER", "SETSLOT", String(slot), "NODE", target.id).catch(ignoreReplica);
    }
  }

  /** Whatever the nodes hold. */
  async flush(): Promise<void> {
    await Promise.all(this.#nodes.map(({ admin }) => admin.flushall().catch(ignoreReplica)));
  }

  async stop(): Promise<void> {
    for (const { admin } of this.#nodes) admin.disconnect();
    await Promise.all(this.#nodes.map(({ server }) => server.stop()));
  }

  async #join(): Promise<void> {
    const primaries = this.#nodes.slice(0, this.#primaryCount);
    await Promise.all(
      primaries.map(({ admin }, index) => {
        const first = Math.ceil((index * SLOTS) / primaries.length);
        const last = Math.ceil(((index + 1) * SLOTS) / primaries.length) - 1;
        return admin.call("CLUSTER", "ADDSLOTSRANGE", String(first), String(last));
      }),
    );
    for (const [index, { admin }] of this.#nodes.entries()) {
      await admin.call("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
    }
    const [first, ...others] = this.#nodes;
    for (const { server, busPort } of others) {
      await first?.admin.call("CLUSTER", "MEET", "127.0.0.1", String(server.port), String(busPort));
    }
    await this.#untilAll(async ({ admin }) => (await knownNodes(admin)) === this.#nodes.length);
    for (const [index, { admin }] of this.#nodes.slice(this.#primaryCount).entries()) {
      await admin.call("CLUSTER", "REPLICATE", primaries[index]?.id ?? "");
    }
    await this.#untilAll(async ({ admin }) => {
      const [cluster, replication] = [String(await admin.call("CLUSTER", "INFO")), await admin.info("replication")];
      const isLinked = replication.includes("role:master") || replication.includes("master_link_status:up");
      return cluster.includes("cluster_state:ok") && isLinked;
    });
    if (this.#nodes.length > this.#primaryCount) {
      await this.#untilAll(async ({ admin }) => (await slotRanges(admin)).every((range) => range.length > 3));
    }
  }

  async #untilAll(holds: (node: Node) => Promise<boolean>): Promise<void> {
    const impatientMs = performance.now() + PATIENCE_MS;
    while (!(await Promise.all(this.#nodes.map(holds))).every(Boolean)) {
      if (performance.now() > impatientMs) throw new Error("the nodes have not become a cluster in time");
      await delay(PAUSE_MS);
    }
  }

  #nodeOf(server: RedisServer | undefined): Node {
    const node = this.#nodes.find((each) => each.server === server);
    if (!node) throw new Error("there is no such node");
    return node;
  }
}

async function startNode(certificate: Certificate | undefined): Promise<Node> {
  const busPort = await findFreePort();
  const server = await RedisServer.start({
    ...(certificate && { certificate }),
    args: [
      ...["--cluster-enabled", "yes", "--cluster-port", String(busPort)],
      ...["--cluster-node-timeout", String(NODE_TIMEOUT_MS), "--repl-diskless-sync-delay", "0"],
    ],
  });
  const admin = new Redis(server.url, {
    protocol: 2,
    maxRetriesPerRequest: 0,
    ...(certificate && { tls: { ca: certificate.text } }),
  });
  // Nodes are killed in tests; whoever asks one then is told so by the answer.
  admin.on("error", () => {});
  return { server, admin, busPort, id: String(await admin.call("CLUSTER", "MYID")) };
}

async function knownNodes(admin: Redis): Promise<number> {
  const lines = String(await admin.call("CLUSTER", "NODES"))
    .trim()
    .split("\n");
  return lines.filter((line) => !line.includes("handshake")).length;
}

async function slotRanges(admin: Redis): Promise<unknown[][]> {
  return (await admin.call("CLUSTER", "SLOTS")) as unknown[][];
}

async function portOf(admin: Redis, slot: number): Promise<number | undefined> {
  if (admin.status !== "ready") return undefined;
  const ranges = await slotRanges(admin).catch(() => []);
  const range = ranges.find(([first, last]) => Number(first) <= slot && slot <= Number(last));
  return Array.isArray(range?.[2]) ? Number(range[2][1]) : undefined;
}

/** Only primaries write, and hand out slots. */
function ignoreReplica(error: unknown): void {
  if (!(error instanceof Error && /replica|READONLY|only with masters|closed|max retries/i.test(error.message)))
    throw error;
}
