import { type ClientId, contactKey, downstreamKey, LEASE_KEY_PREFIX, leaseKey } from "@presence/protocol";
import {
  PresenceServer,
  type PresenceServerOptions,
  RedisServer,
  type RedisServerOptions,
  TriggerHost,
} from "@presence/testkit";
import type { Redis } from "ioredis";
import { onTestFinished } from "vitest";

const HOST = "127.0.0.1";
const SCAN_COUNT = 1_000;

export interface PlatformOptions {
  /** `d`, in ms. */
  heartbeatIntervalMs: number;
  /** Number of servers at the start: `server-1` and so on. */
  servers: number;
  redis?: RedisServerOptions;
  /** Puts something in front of Redis, such as Sentinels: returns the `REDIS_URL`, and opens connections. */
  follow?: (redis: RedisServer) => Promise<Pick<RedisServer, "url" | "connect">>;
  /** Overrides the options of a server; `index` counts from 0. */
  server?: (index: number) => Partial<PresenceServerOptions>;
}

/** An entry of a server's downstream stream. */
export interface StreamEvent {
  client: ClientId;
  status: string;
  /** When it happened by Redis's clock, ms since the epoch. */
  at: number;
  /** When the lease expired by Redis's clock, if the event is about an expired lease. */
  dueAt: number | undefined;
}

/** A Redis and presence servers, real processes all. They end with the test. */
export class Platform {
  readonly redis: RedisServer;
  readonly servers: PresenceServer[] = [];
  /** A connection for the test's own commands. */
  readonly commands: Redis;
  readonly heartbeatIntervalMs: number;
  readonly #redisUrl: string;
  readonly #options: PlatformOptions;
  #started = 0;

  private constructor(redis: RedisServer, options: PlatformOptions, address: Pick<RedisServer, "url" | "connect">) {
    this.redis = redis;
    this.#options = options;
    this.heartbeatIntervalMs = options.heartbeatIntervalMs;
    this.#redisUrl = address.url;
    this.commands = address.connect();
    // Faults break this connection: commands fail then.
    this.commands.on("error", () => {});
  }

  /** Resolves when all servers listen. */
  static async start(options: PlatformOptions): Promise<Platform> {
    const redis = await RedisServer.start(options.redis);
    onTestFinished(() => redis.stop());
    const platform = new Platform(redis, options, (await options.follow?.(redis)) ?? redis);
    onTestFinished(() => platform.#close());
    await platform.commands.ping();
    await Promise.all(Array.from({ length: options.servers }, () => platform.addServer()));
    return platform;
  }

  /** How long a lease lives after the heartbeat that set it, in ms. */
  get leaseMs(): number {
    return 1.5 * this.heartbeatIntervalMs;
  }

  /** The first two servers. */
  get twoServers(): [PresenceServer, PresenceServer] {
    const [first, second] = this.servers;
    if (!first || !second) throw new Error("The platform has fewer than two servers.");
    return [first, second];
  }

  async addServer(options: Partial<PresenceServerOptions> = {}): Promise<PresenceServer> {
    const index = this.#started;
    this.#started += 1;
    const server = await PresenceServer.start({
      host: HOST,
      redisUrl: this.#redisUrl,
      serverId: `server-${index + 1}`,
      heartbeatIntervalMs: this.heartbeatIntervalMs,
      ...this.#options.server?.(index),
      ...options,
    });
    this.servers.push(server);
    this.servers.sort((left, right) => left.serverId.localeCompare(right.serverId, "en"));
    return server;
  }

  /** Starts a trigger host that ends with the test. */
  async startTriggerHost(): Promise<TriggerHost> {
    const { heartbeatIntervalMs } = this;
    const host = await TriggerHost.start({ redisUrl: this.#redisUrl, heartbeatIntervalMs });
    onTestFinished(() => host.kill());
    return host;
  }

  /** Writes contact documents. A client that has one is not a guest. */
  async writeContacts(contactsOf: ReadonlyMap<ClientId, readonly ClientId[]>): Promise<void> {
    const pipeline = this.commands.pipeline();
    for (const [id, contacts] of contactsOf) {
      pipeline.set(contactKey(id), JSON.stringify({ id, name: id, contacts }));
    }
    await pipeline.exec();
  }

  /** The clients that have a lease now. */
  async leases(): Promise<Set<ClientId>> {
    const clients = new Set<ClientId>();
    const keys = this.commands.scanStream({ match: `${LEASE_KEY_PREFIX}*`, count: SCAN_COUNT });
    for await (const batch of keys as AsyncIterable<string[]>) {
      for (const key of batch) clients.add(key.slice(LEASE_KEY_PREFIX.length));
    }
    return clients;
  }

  /** The shortest remaining time of all leases, in ms; infinite if there are none. */
  async shortestLeaseMs(): Promise<number> {
    const pipeline = this.commands.pipeline();
    for (const client of await this.leases()) pipeline.pttl(leaseKey(client));
    const answers = (await pipeline.exec()) ?? [];
    return Math.min(...answers.map(([, leftMs]) => Number(leftMs)).filter((leftMs) => leftMs > 0));
  }

  /** The entries of a server's downstream stream that have not been trimmed, oldest first. */
  async eventsOf(serverId: string): Promise<StreamEvent[]> {
    const entries = await this.commands.xrange(downstreamKey(serverId), "-", "+");
    return entries.map(([, fields]) => parseEvent(fields));
  }

  async #close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    this.commands.disconnect();
  }
}

function parseEvent(fields: readonly string[]): StreamEvent {
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
