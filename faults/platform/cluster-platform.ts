import { type ClientId, contactKey, LEASE_KEY_PREFIX, partitionOf, partitionPrefix, slotOf } from "@presence/protocol";
import { PresenceServer, RedisCluster, waitFor } from "@presence/testkit";
import { onTestFinished } from "vitest";
import type { LoadTarget } from "../load/load.ts";

export interface ClusterPlatformOptions {
  /** `d`, in ms. */
  heartbeatIntervalMs: number;
  servers: number;
  partitions: number;
}

/** A Redis Cluster of three primaries and three replicas, and presence servers. All processes end with the test. */
export class ClusterPlatform implements LoadTarget {
  readonly cluster: RedisCluster;
  readonly servers: PresenceServer[] = [];
  /** The key prefix of each partition. */
  readonly #prefixes: readonly string[];

  private constructor(cluster: RedisCluster, partitions: number) {
    this.cluster = cluster;
    this.#prefixes = Array.from({ length: partitions }, (_, index) => partitionPrefix(index, partitions));
  }

  /** Resolves when all servers listen. */
  static async start({ heartbeatIntervalMs, servers, partitions }: ClusterPlatformOptions): Promise<ClusterPlatform> {
    const cluster = await RedisCluster.start();
    onTestFinished(() => cluster.stop());
    const platform = new ClusterPlatform(cluster, partitions);
    onTestFinished(async () => {
      await Promise.all(platform.servers.map((server) => server.kill()));
    });
    const starting = Array.from({ length: servers }, (_, index) =>
      PresenceServer.start({
        host: "127.0.0.1",
        redisUrl: cluster.url,
        serverId: `server-${index + 1}`,
        heartbeatIntervalMs,
        env: { REDIS_PARTITIONS: String(partitions) },
      }),
    );
    platform.servers.push(...(await Promise.all(starting)));
    return platform;
  }

  /** The slot of each partition. */
  get slots(): number[] {
    return this.#prefixes.map((prefix) => slotOf(prefix.slice(1, -1)));
  }

  async writeContacts(contactsOf: ReadonlyMap<ClientId, readonly ClientId[]>): Promise<void> {
    const client = this.cluster.connect();
    const writes = [...contactsOf].map(([id, contacts]) =>
      client.set(
        `${this.#prefixes[partitionOf(id, this.#prefixes.length)]}${contactKey(id)}`,
        JSON.stringify({ id, name: id, contacts }),
      ),
    );
    await Promise.all(writes);
    client.disconnect();
  }

  /** Resolves when every slot's primary answers. */
  async waitUntilReadable(): Promise<void> {
    await waitFor("all primaries answer", () =>
      this.leases().then(
        () => true,
        () => false,
      ),
    );
  }

  async leases(): Promise<Set<ClientId>> {
    const keys = await this.cluster.keys(`*${LEASE_KEY_PREFIX}*`);
    return new Set(keys.map((key) => key.slice(key.indexOf(LEASE_KEY_PREFIX) + LEASE_KEY_PREFIX.length)));
  }
}
