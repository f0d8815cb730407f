import { RedisCluster, RedisServer } from "@presence/testkit";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { KeyspaceSubscriber } from "../src/host/keyspace-subscriber.ts";
import { LeaseChecks } from "../src/host/lease-checks.ts";
import type { Runtime } from "../src/host/library.ts";
import { PresenceFunctions } from "../src/host/presence-functions.ts";
import { connected } from "../src/host/redis-connection.ts";
import { clusterPartitions } from "./cluster-partitions.ts";
import { RedisGearsHarness } from "./redisgears/redisgears-harness.ts";

const SILENT = pino({ level: "silent" });

/** The presence platform's triggers on one of its runtimes. They run when the test calls `settle`. */
export interface Triggers {
  functions: PresenceFunctions;
  errors: readonly unknown[];
  /** Resolves when all triggers that are due have run. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** The Redis of a test: a single Redis or a partition of a cluster. */
export interface TestedRedis {
  url: string;
  /** Opens a connection that uses the keys of the platform under test. */
  connect(): Redis;
  /** Suspends the process. Its connections stay open. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export type LoadRuntime = (redis: TestedRedis, heartbeatIntervalMs: number) => Promise<Triggers>;

export interface TestedRuntime {
  runtime: Runtime;
  load: LoadRuntime;
  startRedis: () => Promise<TestedRedis>;
}

/** Both runtimes of the logic, with the built libraries. */
export const RUNTIMES: readonly TestedRuntime[] = [
  { runtime: "redis-functions", load: loadRedisFunctions, startRedis: () => RedisServer.start() },
  {
    runtime: "redisgears",
    load: ({ url }, intervalMs) => loadRedisGears(url, intervalMs),
    startRedis: () => RedisServer.start(),
  },
];

/** One partition of a cluster. */
export const IN_A_CLUSTER: TestedRuntime = {
  runtime: "redis-functions",
  load: loadRedisFunctions,
  async startRedis() {
    const cluster = await RedisCluster.start({ hasReplicas: false });
    const [, partition] = clusterPartitions(cluster, 2);
    if (!partition) throw new Error("no such partition");
    return {
      url: cluster.url,
      connect: () => partition.connect(),
      pause: () => {
        for (const server of cluster.servers) server.pause();
      },
      resume: () => {
        for (const server of cluster.servers) server.resume();
      },
      stop: () => cluster.stop(),
    };
  },
};

/** The RedisGears library in the RedisGears harness. */
export async function loadRedisGears(url: string, heartbeatIntervalMs: number): Promise<Triggers> {
  const harness = await RedisGearsHarness.load({ url, config: JSON.stringify({ heartbeatIntervalMs }) });
  return {
    functions: new PresenceFunctions(harness, heartbeatIntervalMs),
    errors: harness.errors,
    settle: () => harness.settle(),
    stop: () => harness.close(),
  };
}

const FENCE = "test:fence";

/** The parts of a trigger host without the deadline clock and the loops. */
async function loadRedisFunctions(redis: TestedRedis, heartbeatIntervalMs: number): Promise<Triggers> {
  const logger = SILENT;
  const commands = redis.connect();
  const subscriber = redis.connect();
  await connected(commands);
  const functions = await PresenceFunctions.connect(commands, heartbeatIntervalMs, logger);
  const checks = new LeaseChecks({ commands, functions, clock: { nudge: () => {}, caughtUp: async () => {} }, logger });
  let touched = 0;
  await new KeyspaceSubscriber(commands, subscriber, logger).start((client, happened) => {
    touched += 1;
    checks.add(client, happened);
  });
  await subscriber.subscribe(FENCE);

  /** Notifications arrive in order: after this message, all earlier notifications have arrived. */
  async function waitForNotifications(): Promise<void> {
    const fence = new Promise<void>((resolve) => {
      subscriber.on("message", function listen(channel: string) {
        if (channel !== FENCE) return;
        subscriber.off("message", listen);
        resolve();
      });
    });
    await commands.publish(FENCE, "");
    await fence;
  }

  async function settle(): Promise<void> {
    for (;;) {
      while ((await functions.processBacklog()).isMore);
      await waitForNotifications();
      if (touched === 0) return;
      touched = 0;
      await checks.settle();
    }
  }

  return {
    functions,
    errors: [],
    settle,
    async stop() {
      commands.disconnect();
      subscriber.disconnect();
    },
  };
}
