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

/** The presence platform's triggers on one of its runtimes, fired when the test says so. */
export interface Triggers {
  functions: PresenceFunctions;
  errors: readonly unknown[];
  /** Until all have fired that anything up to now is to fire. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** Where the logic is tested: a Redis, or a part of one. */
export interface TestedRedis {
  url: string;
  /** A connection whose keys are those of the platform under test. */
  connect(): Redis;
  /** It stands still, and keeps its connections. */
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

/** Both runtimes of the logic; the built libraries run on each. */
export const RUNTIMES: readonly TestedRuntime[] = [
  { runtime: "redis-functions", load: loadRedisFunctions, startRedis: () => RedisServer.start() },
  {
    runtime: "redisgears",
    load: ({ url }, intervalMs) => loadRedisGears(url, intervalMs),
    startRedis: () => RedisServer.start(),
  },
];

/** One partition of a cluster, as a platform of its own. */
export const IN_A_CLUSTER: TestedRuntime = {
  runtime: "redis-functions",
  load: loadRedisFunctions,
  async startRedis() {
    const cluster = await RedisCluster.start({ hasReplicas: false });
    const [, partition] = clusterPartitions(cluster, 2);
    if (!partition) throw new Error("unreachable");
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

/** RedisGears' own library, in the stand-in for RedisGears. */
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

/** The parts of a trigger host, without its clock and its loops. */
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

  /** Notifications come in order: when this one has, those before it have. */
  async function untilNotified(): Promise<void> {
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
      await untilNotified();
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
