import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { onScopeEnd } from "./scope.ts";

/** A Redis server for one benchmark. It is stopped with the scope that started it. */
export class RedisProcess {
  readonly url: string;
  readonly port: number;
  /** A connection for commands that do not block. */
  readonly commands: Redis;

  private constructor({ url, port }: RedisServer) {
    this.url = url;
    this.port = port;
    this.commands = this.connect();
  }

  static async start(): Promise<RedisProcess> {
    const server = await RedisServer.start();
    onScopeEnd(() => server.stop());
    return new RedisProcess(server);
  }

  /** Opens another connection. */
  connect(): Redis {
    return connectTo(this.url);
  }

  /** The environment of a server on this Redis. */
  env(heartbeatIntervalMs: number): Record<string, string> {
    return { REDIS_URL: this.url, HEARTBEAT_INTERVAL_MS: String(heartbeatIntervalMs) };
  }

  /** Adds the processor time of all of Redis's threads to a server's, ms. */
  cpuMsWith(server: { cpuMs(): Promise<number> }): () => Promise<number> {
    return async () => (await server.cpuMs()) + (await cpuMsOf(this.commands));
  }
}

/** A connection that is closed with the scope. */
export function connectTo(url: string): Redis {
  const redis = new Redis(url, { protocol: 2 });
  onScopeEnd(() => redis.disconnect());
  return redis;
}

export async function readRedisVersion(): Promise<string> {
  const redis = await RedisProcess.start();
  return /^redis_version:(\S+)/m.exec(await redis.commands.info("server"))?.[1] ?? "unknown";
}

/** Processor time of all threads of a Redis so far, ms. */
export async function cpuMsOf(redis: Redis): Promise<number> {
  const info = await redis.info("cpu");
  const seconds = (field: string) => Number(new RegExp(`^${field}:(\\S+)`, "m").exec(info)?.[1]);
  return 1000 * (seconds("used_cpu_user") + seconds("used_cpu_sys"));
}
