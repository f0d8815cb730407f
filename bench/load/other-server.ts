import { PresenceFunctions } from "@presence/gears";
import type { RedisProcess } from "../redis-process.ts";
import { SILENT, sendHeartbeats } from "./redis-clients.ts";

export const OTHER_SERVER_ID = "elsewhere";

/** Another realtime server, as far as the platform knows it: it joins, and says who is connected to it. */
export class OtherServer {
  readonly #redis: RedisProcess;
  readonly #functions: PresenceFunctions;

  private constructor(redis: RedisProcess, functions: PresenceFunctions) {
    this.#redis = redis;
    this.#functions = functions;
  }

  static async join(redis: RedisProcess, heartbeatIntervalMs: number): Promise<OtherServer> {
    const functions = await PresenceFunctions.connect(redis.commands, heartbeatIntervalMs, SILENT);
    const server = new OtherServer(redis, functions);
    await server.join();
    return server;
  }

  /** Joins anew: a server that was silent for long is forgotten. */
  async join(): Promise<void> {
    await this.#functions.join(OTHER_SERVER_ID);
  }

  /** These are connected to it. @returns when Redis was told so, ms since the epoch, in as many entries as it took */
  async heartbeat(clients: readonly string[]): Promise<number[]> {
    const ids = await sendHeartbeats(this.#redis.commands, OTHER_SERVER_ID, clients);
    return ids.map((id) => Number(id.split("-")[0]));
  }
}
