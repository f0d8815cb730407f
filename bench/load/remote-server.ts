import { PresenceFunctions } from "@presence/gears";
import type { RedisProcess } from "../setup/redis-process.ts";
import { SILENT, sendHeartbeats } from "./heartbeats.ts";

export const REMOTE_SERVER_ID = "elsewhere";

/** Another realtime server, as the platform sees it: it joins, and sends heartbeats of its clients. */
export class RemoteServer {
  readonly #redis: RedisProcess;
  readonly #functions: PresenceFunctions;

  private constructor(redis: RedisProcess, functions: PresenceFunctions) {
    this.#redis = redis;
    this.#functions = functions;
  }

  static async join(redis: RedisProcess, heartbeatIntervalMs: number): Promise<RemoteServer> {
    const functions = await PresenceFunctions.connect(redis.commands, heartbeatIntervalMs, SILENT);
    const server = new RemoteServer(redis, functions);
    await server.join();
    return server;
  }

  /** Joins again: the platform forgets a server that sends nothing for long. */
  async join(): Promise<void> {
    await this.#functions.join(REMOTE_SERVER_ID);
  }

  /** Sends one heartbeat of these clients. @returns the time of each entry, ms since the epoch by Redis's clock */
  async heartbeat(clients: readonly string[]): Promise<number[]> {
    const ids = await sendHeartbeats(this.#redis.commands, REMOTE_SERVER_ID, clients);
    return ids.map((id) => Number(id.split("-")[0]));
  }
}
