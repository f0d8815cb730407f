import { PresenceFunctions } from "@presence/gears";
import { EVERYONE } from "@presence/gears/keys";
import { downstreamKey } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { RedisProcess } from "../redis-process.ts";
import { SILENT } from "./redis-clients.ts";

const ID = "witness";
const BLOCK_MS = 200;
const MAX_ENTRIES = 2_000;

/** A server of the platform that watches everyone, and only counts what it is told. */
export class Witness {
  online = 0;
  offline = 0;
  readonly #reader: Redis;
  readonly #functions: PresenceFunctions;
  readonly #reading: Promise<void>;
  #isStopping = false;

  private constructor(redis: RedisProcess, functions: PresenceFunctions) {
    this.#reader = redis.connect();
    this.#functions = functions;
    this.#reading = this.#read();
  }

  static async join(redis: RedisProcess, heartbeatIntervalMs: number): Promise<Witness> {
    const functions = await PresenceFunctions.connect(redis.commands, heartbeatIntervalMs, SILENT);
    await functions.join(ID);
    await functions.read(ID, "first", [EVERYONE], []);
    return new Witness(redis, functions);
  }

  reset(): void {
    this.online = 0;
    this.offline = 0;
  }

  async leave(): Promise<void> {
    this.#isStopping = true;
    await this.#reading;
    this.#reader.disconnect();
    await this.#functions.forget(ID);
  }

  async #read(): Promise<void> {
    const key = downstreamKey(ID);
    let cursor = "0-0";
    while (!this.#isStopping) {
      // A server that says nothing for longer than a lease is forgotten.
      await this.#functions.join(ID);
      const reply = await this.#reader.xread("COUNT", MAX_ENTRIES, "BLOCK", BLOCK_MS, "STREAMS", key, cursor);
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        cursor = id;
        if (fields.includes("ONLINE")) this.online += 1;
        if (fields.includes("OFFLINE")) this.offline += 1;
      }
    }
  }
}
