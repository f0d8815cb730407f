import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { DeadlineClock } from "./deadline-clock.ts";
import { consumeHeartbeats } from "./heartbeat-consumer.ts";
import { KeyspaceSubscriber } from "./keyspace-subscriber.ts";
import { LeaseChecks } from "./lease-checks.ts";
import type { Runtime } from "./library.ts";
import { pause, RETRY_MS } from "./pace.ts";
import { agreeOnPartitions } from "./partition-count.ts";
import { type Partition, partitionsOf } from "./partitions.ts";
import { PresenceFunctions } from "./presence-functions.ts";
import { type ConnectRedis, connected, createConnection } from "./redis-connection.ts";

/** How often to claim pending entries of dead consumers, in ms. */
const CLAIM_MS = 10_000;
/** The deadline clock sweeps every 0.1 intervals. A host whose last sweep is older than this does not work. */
const MAX_SWEEP_AGE_INTERVALS = 1;

export interface TriggerHostOptions {
  /** As `parseRedisAddress` accepts it. */
  redisUrl: string;
  /** `d` in ms. All servers and hosts of one Redis use the same. */
  heartbeatIntervalMs: number;
  /** The number of partitions of a cluster. All servers and hosts use the same. */
  partitionCount?: number;
  logger: Logger;
  connect?: ConnectRedis;
}

/** The state of a host. */
export interface TriggerHostStatus {
  /** `undefined` until the host has connected to Redis. */
  runtime: Runtime | undefined;
  /** Warnings for the operator. */
  warnings: string[];
  /** Whether the deadline clock sweeps in time. */
  isWorking: boolean;
}

export interface TriggerHost {
  status(): TriggerHostStatus;
  stop(): Promise<void>;
}

/**
 * Runs the presence platform's triggers for a Redis: the heartbeat consumer, the keyspace subscriber and the deadline
 * clock. With RedisGears, only the deadline clock runs. Any number of hosts may run for one Redis. In a cluster, each
 * partition has its own triggers.
 *
 * If Redis is unreachable, the host retries.
 */
export function startTriggerHost(options: TriggerHostOptions): TriggerHost {
  const hosts = partitionsOf(options.redisUrl, options.partitionCount).map((partition) =>
    startPartitionHost(options, partition),
  );
  return {
    status() {
      const statuses = hosts.map((host) => host.status());
      return {
        runtime: statuses[0]?.runtime,
        warnings: [...new Set(statuses.flatMap(({ warnings }) => warnings))],
        isWorking: statuses.every(({ isWorking }) => isWorking),
      };
    },
    async stop() {
      await Promise.all(hosts.map((host) => host.stop()));
    },
  };
}

function startPartitionHost(
  { redisUrl, partitionCount, heartbeatIntervalMs, logger, connect = createConnection }: TriggerHostOptions,
  partition: Partition | undefined,
): TriggerHost {
  const stopping = new AbortController();
  const connections = ["commands", "blocking", "subscriber"].map((name) =>
    connect(redisUrl, `presence-${name}`, logger, partition),
  );
  const running: RunningHost = { runtime: undefined, clock: undefined, keyspace: undefined };
  const agree = () => agreeOnPartitions(redisUrl, logger, partitionCount);
  const finished = runHost({ connections, agree, heartbeatIntervalMs, logger, signal: stopping.signal, running });
  return {
    status: () => statusOf(running, heartbeatIntervalMs),
    async stop() {
      stopping.abort();
      for (const connection of connections) connection.disconnect();
      await finished;
    },
  };
}

interface RunningHost {
  runtime: Runtime | undefined;
  clock: DeadlineClock | undefined;
  keyspace: KeyspaceSubscriber | undefined;
}

interface HostParts {
  connections: readonly Redis[];
  /** Throws if the cluster uses another partition count. */
  agree: () => Promise<void>;
  heartbeatIntervalMs: number;
  logger: Logger;
  signal: AbortSignal;
  running: RunningHost;
}

async function runHost({ connections, agree, heartbeatIntervalMs, logger, signal, running }: HostParts): Promise<void> {
  const [commands, blocking, subscriber] = connections;
  if (!commands || !blocking || !subscriber) throw new Error("a host has three connections");
  const functions = await retryUntilDone(signal, logger, async () => {
    await agree();
    await connected(commands);
    return await PresenceFunctions.connect(commands, heartbeatIntervalMs, logger);
  });
  if (!functions || signal.aborted) return;
  running.runtime = functions.runtime;
  const clock = new DeadlineClock({ functions, heartbeatIntervalMs, logger, signal });
  running.clock = clock;
  const keyspace =
    functions.runtime === "redis-functions" ? new KeyspaceSubscriber(commands, subscriber, logger) : undefined;
  running.keyspace = keyspace;
  commands.on("ready", () => void keyspace?.enableAfterReconnect());
  const tasks = [clock.run()];
  if (keyspace) {
    const checks = new LeaseChecks({ commands, functions, clock, logger });
    tasks.push(
      keyspace.start((client, happened) => checks.add(client, happened)),
      consumeHeartbeats(functions, blocking, logger, signal),
      claimPeriodically(functions, signal),
    );
  }
  await Promise.all(tasks);
}

async function claimPeriodically(functions: PresenceFunctions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await functions.claim().catch(() => {});
    await pause(CLAIM_MS, signal);
  }
}

/** @returns the result of the first successful attempt; `undefined` if the signal aborts first */
async function retryUntilDone<Result>(
  signal: AbortSignal,
  logger: Logger,
  attempt: () => Promise<Result>,
): Promise<Result | undefined> {
  let lastReason: string | undefined;
  while (!signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) break;
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== lastReason) logger.warn({ reason }, "Redis can't be used; retrying");
      lastReason = reason;
      await pause(RETRY_MS, signal);
    }
  }
  return undefined;
}

function statusOf({ runtime, clock, keyspace }: RunningHost, heartbeatIntervalMs: number): TriggerHostStatus {
  const warnings = keyspace && !keyspace.state.enabled ? [keyspace.state.reason] : [];
  const isWorking = clock !== undefined && clock.silenceMs < MAX_SWEEP_AGE_INTERVALS * heartbeatIntervalMs;
  return { runtime, warnings, isWorking };
}
