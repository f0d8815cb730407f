import { randomBytes } from "node:crypto";
import {
  agreeOnPartitions,
  connected,
  createConnection,
  describeRedisAddress,
  type Partition,
  partitionsOf,
  startTriggerHost,
  type TriggerHost,
} from "@presence/gears";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import type { ContactDocument } from "./contacts/contact-store.ts";
import { PartitionedContactStore } from "./contacts/partitioned-contact-store.ts";
import { RedisContactStore } from "./contacts/redis-contact-store.ts";
import type { Metrics } from "./metrics.ts";
import type { PlatformParts } from "./platform-parts.ts";
import type { PresencePlatform } from "./presence/presence-platform.ts";
import {
  type PartitionedPresenceOptions,
  PartitionedPresencePlatform,
} from "./presence/redis/partitioned-presence-platform.ts";
import { collectRedisMetrics } from "./presence/redis/redis-metrics.ts";
import { RedisPresencePlatform } from "./presence/redis/redis-presence-platform.ts";
import { RedisRevocations } from "./sessions/redis-revocations.ts";

const DEMO_KEY = "presence:demo-key";
const KEY_BYTES = 32;

/** Redis can't be used. The message is one line and says what to do. */
class RedisError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RedisError";
  }
}

/**
 * Creates the parts of a server whose presence platform is in Redis. The trigger host runs in this process if configured.
 *
 * @throws {RedisError} if Redis can't be reached or does not support what is needed
 */
export async function createDistributedParts(
  config: Config & { redisUrl: string },
  roster: readonly ContactDocument[],
  metrics: Metrics,
  logger: Logger,
): Promise<PlatformParts> {
  const { redisUrl, serverId, heartbeatIntervalMs, partitionCount } = config;
  const opened: { close(): Promise<void> | void }[] = [];
  const closeAll = async () => {
    for (const part of opened.splice(0).reverse()) await part.close();
  };
  try {
    await agreeOnPartitions(redisUrl, logger, partitionCount);
    const partitions = partitionsOf(redisUrl, partitionCount);
    const connections = partitions.map((partition) => openConnection("presence-contacts", partition));
    const subscriber = openConnection("presence-sessions");
    await Promise.all(connections.map(connected));
    const contacts = await openContacts(connections, logger);
    await contacts.seed(roster);
    const demoKey = await readSharedKey(connections);
    // After a reconnect Redis may have lost its data.
    const restore = () => {
      Promise.all([contacts.seed(roster), shareKey(connections, demoKey)]).catch((error: unknown) =>
        logger.warn({ err: error }, "the roster and the demo mode key could not be restored"),
      );
    };
    for (const connection of connections) connection.on("ready", restore);
    const host = config.hostsTriggers
      ? startTriggerHost({ redisUrl, heartbeatIntervalMs, partitionCount, logger })
      : undefined;
    if (host) {
      opened.push({ close: () => host.stop() });
      metrics.collectTriggers(host);
    }
    const platform = await connectPlatform({
      redisUrl,
      serverId,
      heartbeatIntervalMs,
      partitionCount,
      logger,
      metrics: {
        onOfflineLag: (lagMs) => metrics.offlineLag.observe(lagMs / 1000),
        onHeartbeat: (outcome, clientCount) => metrics.countHeartbeat(outcome, clientCount),
        onGap: () => metrics.gaps.inc(),
      },
    });
    opened.push(platform);
    const stopRedisMetrics = collectRedisMetrics({
      connections,
      serverId,
      intervalMs: heartbeatIntervalMs,
      registry: metrics.registry,
    });
    opened.push({ close: stopRedisMetrics });
    for (const connection of connections) connection.on("ready", () => metrics.redisReconnects.inc());
    const revocations = new RedisRevocations(connections);
    return {
      platform,
      contacts,
      revocations,
      demoKey,
      followRevocations: (onRevoked) => revocations.follow(subscriber, onRevoked),
      warnings: () => warningsOf(host),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw redisError(error, redisUrl);
  }

  function openConnection(name: string, partition?: Partition): Redis {
    const connection = createConnection(redisUrl, name, logger, partition);
    opened.push({ close: () => connection.disconnect() });
    return connection;
  }
}

function connectPlatform(options: PartitionedPresenceOptions): Promise<PresencePlatform> {
  const isUnpartitioned = partitionsOf(options.redisUrl, options.partitionCount)[0] === undefined;
  return isUnpartitioned ? RedisPresencePlatform.connect(options) : PartitionedPresencePlatform.connect(options);
}

async function openContacts(
  connections: readonly Redis[],
  logger: Logger,
): Promise<RedisContactStore | PartitionedContactStore> {
  const stores = await Promise.all(connections.map((connection) => RedisContactStore.open(connection, logger)));
  const [store, ...others] = stores;
  return store && others.length === 0 ? store : new PartitionedContactStore(stores);
}

/** The key of the server that started first. In a cluster it is in the first partition. */
async function readSharedKey(connections: readonly Redis[]): Promise<Uint8Array> {
  await shareKey(connections, randomBytes(KEY_BYTES));
  return Buffer.from((await connections[0]?.get(DEMO_KEY)) ?? "", "base64url");
}

async function shareKey([redis]: readonly Redis[], key: Uint8Array): Promise<void> {
  await redis?.set(DEMO_KEY, Buffer.from(key).toString("base64url"), "NX");
}

function warningsOf(host: TriggerHost | undefined): string[] {
  if (!host) return [];
  const { warnings, isWorking } = host.status();
  return isWorking ? warnings : [...warnings, "the trigger host of this server does not work"];
}

function redisError(error: unknown, redisUrl: string): RedisError {
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
  return new RedisError(
    `Redis at ${describeRedisAddress(redisUrl)} can't be used (${reason}). Start it, or set REDIS_URL to a running one.`,
    {
      cause: error,
    },
  );
}
