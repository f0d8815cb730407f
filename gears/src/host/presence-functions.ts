import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Sweep } from "../presence/presence.ts";
import { type ClientRecord, parseRecord } from "../presence/record.ts";
import { LoadedLibrary, type PresenceLibrary, type Runtime } from "./library.ts";

/** What `read` tells of each client. */
export interface ReadReply {
  /** Redis's clock, ms since the epoch. */
  nowMs: number;
  version: string;
  epoch: string;
  /** Of the last event by which a guest went offline. */
  lastGuestOfflineVersion: string;
  /** How many events had been put on the server's stream. */
  sequence: number;
  /** Whether the server has joined, and not been forgotten since. */
  isKnown: boolean;
  /** The last change of each client asked for that has ever been announced. */
  records: Map<string, ClientRecord>;
  /** Those online who have no contact document. */
  guests: Map<string, ClientRecord>;
}

/** The functions of the logic, with their arguments and replies. */
export class PresenceFunctions {
  readonly #library: PresenceLibrary;
  readonly #heartbeatIntervalMs: number;

  constructor(library: PresenceLibrary, heartbeatIntervalMs: number) {
    this.#library = library;
    this.#heartbeatIntervalMs = heartbeatIntervalMs;
  }

  /** Those of the library in a Redis, which is loaded if need be. */
  static async connect(redis: Redis, heartbeatIntervalMs: number, logger: Logger): Promise<PresenceFunctions> {
    return new PresenceFunctions(await LoadedLibrary.load(redis, heartbeatIntervalMs, logger), heartbeatIntervalMs);
  }

  get runtime(): Runtime {
    return this.#library.runtime;
  }

  /** Redis Functions only: works off the heartbeat stream, or as much of it as one call may. */
  async processBacklog(): Promise<{ isMore: boolean; lastId: string }> {
    const [isMore, lastId] = strings(await this.#call("work", [this.#interval]));
    return { isMore: isMore === "1", lastId: lastId ?? "0-0" };
  }

  /** Redis Functions only: takes over what another reader left unacknowledged. */
  async claim(): Promise<number> {
    return Number(await this.#call("claim", [this.#interval]));
  }

  async check(clients: readonly string[]): Promise<void> {
    while (Number(await this.#call("check", [...this.#intervalForFunctions, ...clients])) === 1);
  }

  async sweep(run: string): Promise<Sweep> {
    const [nowMs, nextMs] = strings(await this.#call("sweep", [...this.#intervalForFunctions, run]));
    return { nowMs: Number(nowMs), nextMs: nextMs === "" || nextMs === undefined ? undefined : Number(nextMs) };
  }

  async join(server: string): Promise<void> {
    await this.#call("join", [...this.#intervalForFunctions, server]);
  }

  async leave(server: string, client: string): Promise<void> {
    await this.#call("leave", [...this.#intervalForFunctions, server, client]);
  }

  /**
   * @param newEpoch names the order of events, in case there is none yet
   * @param watched whom `server` watches from now on, beside those it did
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

  /** Takes away all that is kept for a server. */
  async forget(server: string): Promise<void> {
    while (Number(await this.#call("forget", [...this.#intervalForFunctions, server])) === 1);
  }

  get #interval(): string {
    return String(this.#heartbeatIntervalMs);
  }

  /** RedisGears has it in the library's configuration. */
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
