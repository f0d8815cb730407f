import { type ClientId, contactKey, downstreamKey, LEASE_KEY_PREFIX, leaseKey } from "@presence/protocol";
import { RedisServer, type RedisServerOptions } from "@presence/testkit";
import { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import { PresenceServer, type PresenceServerOptions } from "./presence-server.ts";

const SCAN_COUNT = 1_000;

export interface PlatformOptions {
  /** `d`, in ms. */
  heartbeatIntervalMs: number;
  /** How many servers are there at first. They are called `server-1` and so on. */
  servers: number;
  redis?: RedisServerOptions;
  /** Another way to find Redis than its own address, and to look into it. */
  follow?: (redis: RedisServer) => Promise<{ url: string; connect(): Redis }>;
  /** What is different about a server; `index` counts from 0. */
  server?: (index: number) => Partial<PresenceServerOptions>;
}

/** An event as it stands on a server's stream. */
export interface ToldEvent {
  client: ClientId;
  status: string;
  /** When it happened, by Redis's clock, ms since the epoch. */
  at: number;
  /** When the lease ran out that made it happen, if that was why; by the same clock. */
  dueAt: number | undefined;
}

/** A Redis and some servers, real processes all, for one fault; they end with its test. */
export class Platform {
  readonly redis: RedisServer;
  readonly servers: PresenceServer[] = [];
  /** A connection to look into Redis by. */
  readonly commands: Redis;
  readonly heartbeatIntervalMs: number;
  readonly #options: PlatformOptions;
  #started = 0;

  readonly #redisUrl: string;

  private constructor(
    redis: RedisServer,
    options: PlatformOptions,
    { url, commands }: { url: string; commands: Redis },
  ) {
    this.redis = redis;
    this.#options = options;
    this.heartbeatIntervalMs = options.heartbeatIntervalMs;
    this.#redisUrl = url;
    this.commands = commands;
    // Redis goes away in faults; whoever asks then is told so by the answer.
    this.commands.on("error", () => {});
  }

  /** Resolves when all servers listen. */
  static async start(options: PlatformOptions): Promise<Platform> {
    const redis = await RedisServer.start(options.redis);
    onTestFinished(() => redis.stop());
    const followed = await options.follow?.(redis);
    const commands = followed?.connect() ?? new Redis(redis.url);
    const platform = new Platform(redis, options, { url: followed?.url ?? redis.url, commands });
    onTestFinished(() => platform.#close());
    await commands.ping();
    platform.servers.push(
      ...(await Promise.all(Array.from({ length: options.servers }, () => platform.#startServer()))),
    );
    return platform;
  }

  /** How long a lease lives from the heartbeat that set it, in ms. */
  get leaseMs(): number {
    return 1.5 * this.heartbeatIntervalMs;
  }

  /** One more server. */
  async addServer(more: Partial<PresenceServerOptions> = {}): Promise<PresenceServer> {
    const server = await this.#startServer(more);
    this.servers.push(server);
    return server;
  }

  /** Writes contact lists, before their owners connect. Who has one is no guest. */
  async writeContacts(contactsOf: ReadonlyMap<ClientId, readonly ClientId[]>): Promise<void> {
    const pipeline = this.commands.pipeline();
    for (const [id, contacts] of contactsOf) {
      pipeline.set(contactKey(id), JSON.stringify({ id, name: id, contacts }));
    }
    await pipeline.exec();
  }

  /** Who has a lease now. */
  async leases(): Promise<Set<ClientId>> {
    const clients = new Set<ClientId>();
    const keys = this.commands.scanStream({ match: `${LEASE_KEY_PREFIX}*`, count: SCAN_COUNT });
    for await (const batch of keys as AsyncIterable<string[]>) {
      for (const key of batch) clients.add(key.slice(LEASE_KEY_PREFIX.length));
    }
    return clients;
  }

  /** For how long the lease that ends first is still to live, in ms; infinite where there is none. */
  async shortestLeaseMs(): Promise<number> {
    const pipeline = this.commands.pipeline();
    for (const client of await this.leases()) pipeline.pttl(leaseKey(client));
    const answers = (await pipeline.exec()) ?? [];
    return Math.min(...answers.map(([, leftMs]) => Number(leftMs)).filter((leftMs) => leftMs > 0));
  }

  /** What was put on a server's own stream, and has not been trimmed, oldest first. */
  async toldTo(serverId: string): Promise<ToldEvent[]> {
    const entries = await this.commands.xrange(downstreamKey(serverId), "-", "+");
    return entries.map(([, fields]) => toldEvent(fields));
  }

  #startServer(more: Partial<PresenceServerOptions> = {}): Promise<PresenceServer> {
    const index = this.#started;
    this.#started += 1;
    return PresenceServer.start({
      redisUrl: this.#redisUrl,
      serverId: `server-${index + 1}`,
      heartbeatIntervalMs: this.heartbeatIntervalMs,
      ...this.#options.server?.(index),
      ...more,
    });
  }

  async #close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    this.commands.disconnect();
  }
}

function toldEvent(fields: readonly string[]): ToldEvent {
  const values = new Map<string, string>();
  for (let index = 0; index < fields.length; index += 2) values.set(fields[index] ?? "", fields[index + 1] ?? "");
  const due = values.get("due");
  return {
    client: values.get("client") ?? "",
    status: values.get("status") ?? "",
    at: Number(values.get("at")),
    dueAt: due === undefined ? undefined : Number(due),
  };
}
