import { type ClusterPartition, RedisCluster } from "@presence/gears/testing/cluster";
import { type ClientId, contactKey, LEASE_KEY_PREFIX, partitionOf } from "@presence/protocol";
import type { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import type { CrowdPlatform } from "../viewers/crowd.ts";
import { PresenceServer } from "./presence-server.ts";

const SCAN_COUNT = 1_000;

export interface ClusterPlatformOptions {
  /** `d`, in ms. */
  heartbeatIntervalMs: number;
  servers: number;
  partitions: number;
}

/** A cluster of three primaries and three replicas, and some servers, real processes all; they end with the test. */
export class ClusterPlatform implements CrowdPlatform {
  readonly cluster: RedisCluster;
  readonly servers: PresenceServer[] = [];
  readonly partitions: readonly ClusterPartition[];
  /** A connection to look into each partition by. */
  readonly #parts: readonly Redis[];

  private constructor(cluster: RedisCluster, count: number) {
    this.cluster = cluster;
    this.partitions = cluster.partitions(count);
    this.#parts = this.partitions.map((partition) => partition.connect());
  }

  /** Resolves when all servers listen. */
  static async start(options: ClusterPlatformOptions): Promise<ClusterPlatform> {
    const cluster = await RedisCluster.start();
    onTestFinished(() => cluster.stop());
    const platform = new ClusterPlatform(cluster, options.partitions);
    onTestFinished(() => platform.#close());
    await Promise.all(platform.#parts.map((part) => part.connect()));
    const starting = Array.from({ length: options.servers }, (_, index) =>
      PresenceServer.start({
        redisUrl: cluster.url,
        serverId: `server-${index + 1}`,
        heartbeatIntervalMs: options.heartbeatIntervalMs,
        env: { REDIS_PARTITIONS: String(options.partitions) },
      }),
    );
    platform.servers.push(...(await Promise.all(starting)));
    return platform;
  }

  async writeContacts(contactsOf: ReadonlyMap<ClientId, readonly ClientId[]>): Promise<void> {
    for (const [id, contacts] of contactsOf) {
      const part = this.#parts[partitionOf(id, this.#parts.length)];
      await part?.set(contactKey(id), JSON.stringify({ id, name: id, contacts }));
    }
  }

  async leases(): Promise<Set<ClientId>> {
    const clients = new Set<ClientId>();
    for (const [index, part] of this.#parts.entries()) {
      const prefix = `${this.partitions[index]?.prefix}${LEASE_KEY_PREFIX}`;
      let cursor = "0";
      do {
        const [next, keys] = await part.scan(cursor, "MATCH", `${prefix}*`, "COUNT", SCAN_COUNT);
        for (const key of keys) clients.add(key.slice(prefix.length));
        cursor = next;
      } while (cursor !== "0");
    }
    return clients;
  }

  async #close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    for (const part of this.#parts) part.disconnect();
  }
}
