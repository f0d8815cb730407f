import { startTriggerHost, type TriggerHost } from "@presence/gears";
import { pino } from "pino";
import { RedisPresencePlatform } from "../../apps/server/src/presence/redis/redis-presence-platform.ts";
import { library } from "../logic/library.ts";
import { createSimulatedRedis } from "../redis/connection.ts";
import { SimulatedNetwork } from "../redis/network.ts";
import { type RegisteredFunctions, SimulatedServer } from "../redis/server.ts";

const logger = pino({ level: "silent" });
const REDIS_URL = "redis://simulated";

/** Trigger hosts and the servers' side of the platform, unchanged, on a simulated Redis. Needs virtual time. */
export class WholePlatform {
  readonly redis = new SimulatedServer({ functions: registeredFunctions(), nowMs: () => Date.now() });
  readonly network = new SimulatedNetwork(this.redis);
  readonly #heartbeatIntervalMs: number;

  constructor(heartbeatIntervalMs: number) {
    this.#heartbeatIntervalMs = heartbeatIntervalMs;
  }

  startHost(): TriggerHost {
    return startTriggerHost({
      redisUrl: REDIS_URL,
      heartbeatIntervalMs: this.#heartbeatIntervalMs,
      logger,
      connect: (_url, name) => createSimulatedRedis(this.network, name),
    });
  }

  startServer(serverId: string): Promise<RedisPresencePlatform> {
    return RedisPresencePlatform.connect({
      redisUrl: REDIS_URL,
      serverId,
      heartbeatIntervalMs: this.#heartbeatIntervalMs,
      logger,
      connect: (_url, name) => createSimulatedRedis(this.network, name),
    });
  }
}

function registeredFunctions(): RegisteredFunctions {
  return Object.fromEntries(Object.entries(library).map(([name, run]) => [`presence_${name}`, run]));
}
