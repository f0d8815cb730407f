import { Redis } from "ioredis";
import { pino } from "pino";
import { KeyspaceSubscriber } from "../src/host/keyspace-subscriber.ts";
import { LeaseChecks } from "../src/host/lease-checks.ts";
import type { Home } from "../src/host/library.ts";
import { PresenceFunctions } from "../src/host/presence-functions.ts";
import { RedisGearsHarness } from "./redisgears/redisgears-harness.ts";

/** The presence platform's triggers on one of its homes, fired when the test says so. */
export interface Triggers {
  functions: PresenceFunctions;
  errors: readonly unknown[];
  /** Until all have fired that anything up to now is to fire. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export type LoadHome = (url: string, heartbeatIntervalMs: number) => Promise<Triggers>;

/** Both homes of the logic; the built libraries run on each. */
export const HOMES: readonly { home: Home; load: LoadHome }[] = [
  { home: "redis-functions", load: loadRedisFunctions },
  { home: "redisgears", load: loadRedisGears },
];

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
async function loadRedisFunctions(url: string, heartbeatIntervalMs: number): Promise<Triggers> {
  const logger = pino({ level: "silent" });
  const commands = new Redis(url);
  const subscriber = new Redis(url, { lazyConnect: true });
  const functions = await PresenceFunctions.connect(commands, heartbeatIntervalMs, logger);
  const checks = new LeaseChecks({ commands, functions, clock: { nudge: () => {} }, logger });
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
      while ((await functions.work()).isMore);
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
