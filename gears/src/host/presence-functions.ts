import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Sweep } from "../presence/presence.ts";
import { type ClientRecord, parseRecord } from "../presence/record.ts";
import { LoadedLibrary, type PresenceLibrary, type Runtime } from "./library.ts";

/** The reply of `read`. */
export interface ReadReply {
  /** Redis's clock, ms since the epoch. */
  nowMs: number;
  version: string;
  epoch: string;
  /** The version of the last event with which a guest went offline. */
  lastGuestOfflineVersion: string;
  /** The number of events written to the server's stream. */
  sequence: number;
  /** Whether the server has joined and was not forgotten since. */
  isKnown: boolean;
  /** The last change of each requested client. Clients that were never online have no record. */
  records: Map<string, ClientRecord>;
  /** The online clients without a contact document. */
  guests: Map<string, ClientRecord>;
}

/** A typed interface to the functions of the logic. */
export class PresenceFunctions {
  readonly #library: PresenceLibrary;
  readonly #heartbeatIntervalMs: number;

  constructor(library: PresenceLibrary, heartbeatIntervalMs: number) {
    this.#library = library;
    this.#heartbeatIntervalMs = heartbeatIntervalMs;
  }

  /** Loads the library into Redis if necessary, and returns its functions. */
  static async connect(redis: Redis, heartbeatIntervalMs: number, logger: Logger): Promise<PresenceFunctions> {
    return new PresenceFunctions(await LoadedLibrary.load(redis, heartbeatIntervalMs, logger), heartbeatIntervalMs);
  }

  get runtime(): Runtime {
    return this.#library.runtime;
  }

  /** Redis Functions only: processes the heartbeat stream, or as much of it as one call may. */
  async processBacklog(): Promise<{ isMore: boolean; lastId: string }> {
    const [isMore, lastId] = strings(await this.#call("work", [this.#interval]));
    return { isMore: isMore === "1", lastId: lastId ?? "0-0" };
  }

  /** Redis Functions only: claims and applies pending entries of dead consumers. Returns their number. */
  async claim(): Promise<number> {
    return Number(await this.#call("claim", [this.#interval]));
  }

  async check(clients: readonly string[]): Promise<void> {
    while (Number(await this.#call("check", [...this.#intervalForFunctions, ...clients])) === 1);
  }

  async sweep(): Promise<Sweep> {
    const [nowMs, nextMs] = strings(await this.#call("sweep", this.#intervalForFunctions));
    return { nowMs: Number(nowMs), nextMs: nextMs === "" || nextMs === undefined ? undefined : Number(nextMs) };
  }

  async join(server: string): Promise<void> {
    await this.#call("join", [...this.#intervalForFunctions, server]);
  }

  async leave(server: string, client: string): Promise<void> {
    await this.#call("leave", [...this.#intervalForFunctions, server, client]);
  }

  /**
   * Adds `watched` to what `server` watches, and reads the state of `clients`.
   *
   * @param newEpoch the epoch to start if there is none
   * @param watched client ids, `EVERYONE` or `GUESTS`
   */
  async read(
    server: string,
    newEpoch: string,
    watched: readonly string[],
    clients: readonly string[],
  ): Promise<ReadReply> {
    const reply = await this.#call("read", [server, newEpoch, String(watched.length), ...watched, ...clients]);
    return parseReadReply(strings(reply), clients);
  }

  async unwatch(server: string, watched: readonly string[]): Promise<void> {
    await this.#call("unwatch", [server, ...watched]);
  }

  /** Removes the state of a server. */
  async forget(server: string): Promise<void> {
    while (Number(await this.#call("forget", [...this.#intervalForFunctions, server])) === 1);
  }

  get #interval(): string {
    return String(this.#heartbeatIntervalMs);
  }

  /** RedisGears reads `d` from the library's configuration instead of an argument. */
  get #intervalForFunctions(): string[] {
    return this.runtime === "redis-functions" ? [this.#interval] : [];
  }

  #call(name: string, args: readonly string[]): Promise<unknown> {
    return this.#library.call(name, args);
  }
}

function strings(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

function parseReadReply(reply: readonly string[], clients: readonly string[]): ReadReply {
  const [nowMs = "0", version = "0", epoch = "", sequence = "0", lastGuestOfflineVersion = "0", known, ...rest] = reply;
  const records = new Map<string, ClientRecord>();
  clients.forEach((client, index) => {
    const text = rest[index];
    if (text) records.set(client, parseRecord(text));
  });
  const guests = new Map<string, ClientRecord>();
  for (let index = clients.length; index + 1 < rest.length; index += 2) {
    guests.set(rest[index] ?? "", parseRecord(rest[index + 1] ?? ""));
  }
  return {
    nowMs: Number(nowMs),
    version,
    epoch,
    sequence: Number(sequence),
    lastGuestOfflineVersion,
    isKnown: known === "1",
    records,
    guests,
  };
}
