import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { noteStarted } from "./left-behind.ts";

/** A Redis server of one's own, and what it uses. */
export class RedisProcess {
  readonly server: RedisServer;
  /** For commands that no one waits long for. */
  readonly commands: Redis;
  readonly stop: () => Promise<void>;

  private constructor(server: RedisServer) {
    this.server = server;
    this.commands = new Redis(server.url, { protocol: 2 });
    this.stop = noteStarted(async () => {
      this.commands.disconnect();
      await this.server.stop();
    });
  }

  static async start(): Promise<RedisProcess> {
    return new RedisProcess(await RedisServer.start());
  }

  /** Another connection. */
  connect(): Redis {
    return new Redis(this.server.url, { protocol: 2 });
  }

  /** Processor time of all its threads so far, ms. */
  cpuMs(): Promise<number> {
    return cpuMsOf(this.commands);
  }

  async version(): Promise<string> {
    return /^redis_version:(\S+)/m.exec(await this.commands.info("server"))?.[1] ?? "unknown";
  }
}

/** Processor time of all threads of a Redis so far, ms. */
export async function cpuMsOf(redis: Redis): Promise<number> {
  const info = await redis.info("cpu");
  const seconds = (field: string) => Number(new RegExp(`^${field}:(\\S+)`, "m").exec(info)?.[1]);
  return 1000 * (seconds("used_cpu_user") + seconds("used_cpu_sys"));
}
