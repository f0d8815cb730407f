import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { LEASE_KEY_PREFIX } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { pause } from "./pace.ts";
import { connected } from "./redis-connection.ts";

/** What may happen to a lease, by another hand or the platform's own. */
export type LeaseEvent = "began" | "ended";

const BEGINNING = "new";
const EVENTS = [BEGINNING, "del", "expired", "evicted"];
/** Those that one can bring about by oneself. */
const TRIED_EVENTS = [BEGINNING, "del", "expired"];
const PROBE_KEY_PREFIX = "presence:probe:";
const PROBE_LIFE_MS = 10;
const PROBE_LIMIT_MS = 1_000;
/** By event (`E`): generic commands (`del`), expired, evicted and new keys. */
const NEEDED_FLAGS = "Egxen";
/** The classes that `A` stands for. */
const ALL_CLASSES = "g$lshztdxe";

export type NotificationState = { enabled: true } | { enabled: false; reason: string };

/**
 * Tells of leases that were set, deleted or expired by another hand.
 *
 * Notifications are no log: what happens while nobody listens is lost. Nothing relies on them; the deadline clock finds
 * whatever they miss, only later.
 */
export class KeyspaceSubscriber {
  readonly #commands: Redis;
  readonly #subscriber: Redis;
  readonly #logger: Logger;
  #state: NotificationState = { enabled: false, reason: "not asked yet" };

  /** @param subscriber a connection of its own */
  constructor(commands: Redis, subscriber: Redis, logger: Logger) {
    this.#commands = commands;
    this.#subscriber = subscriber;
    this.#logger = logger;
  }

  get state(): NotificationState {
    return this.#state;
  }

  /** @param onLease called with each client whose lease began or ended */
  async start(onLease: (client: string, happened: LeaseEvent) => void): Promise<void> {
    const beginning = this.#channel(BEGINNING);
    const leasePrefix = this.#keyPrefix + LEASE_KEY_PREFIX;
    this.#subscriber.on("message", (channel: string, key: string) => {
      if (!key.startsWith(leasePrefix)) return;
      onLease(key.slice(leasePrefix.length), channel === beginning ? "began" : "ended");
    });
    await this.enable();
  }

  /** As `enable`, and listens to the Redis that has the keys now: who no longer has them still talks of others. */
  async enableAnew(): Promise<void> {
    if (this.#keyPrefix !== "" && this.#subscriber.status === "ready") {
      const closed = once(this.#subscriber, "close");
      this.#subscriber.disconnect(true);
      await closed;
    }
    await this.enable();
  }

  /** Turns on what is needed, beside what others have turned on. To be called again when Redis is back: it may be new. */
  async enable(): Promise<void> {
    try {
      await connected(this.#subscriber);
      await this.#subscriber.subscribe(...EVENTS.map((event) => this.#channel(event)));
      await this.#turnOn();
      this.#state = { enabled: true };
    } catch (error) {
      const reason = `keyspace notifications can't be turned on (${error instanceof Error ? error.message : String(error)})`;
      if (this.#state.enabled || this.#state.reason !== reason) {
        this.#logger.warn(`${reason}: leases ended by another hand are noticed at their deadlines only`);
      }
      this.#state = { enabled: false, reason };
    }
  }

  async #turnOn(): Promise<void> {
    try {
      const [, flags = ""] = (await this.#commands.config("GET", "notify-keyspace-events")) as string[];
      const missing = missingFlags(flags);
      if (missing !== "") await this.#commands.config("SET", "notify-keyspace-events", flags + missing);
    } catch (error) {
      // That is not for us to set: which doesn't mean that nobody has.
      if (!(await this.#areOn())) throw error;
    }
  }

  /** Whether notifications come: tried with a key that is set, deleted, set again and left to expire. */
  async #areOn(): Promise<boolean> {
    const probe = PROBE_KEY_PREFIX + randomUUID();
    const probed = this.#keyPrefix + probe;
    const awaited = new Set(TRIED_EVENTS.map((event) => this.#channel(event)));
    const allCame = new AbortController();
    const listen = (channel: string, key: string) => {
      if (key === probed) awaited.delete(channel);
      if (awaited.size === 0) allCame.abort();
    };
    this.#subscriber.on("message", listen);
    await this.#commands.set(probe, "");
    await this.#commands.del(probe);
    await this.#commands.set(probe, "", "PX", 1);
    await pause(PROBE_LIFE_MS, allCame.signal);
    // Redis tells of an expired key when somebody asks for it.
    await this.#commands.get(probe);
    await pause(PROBE_LIMIT_MS, allCame.signal);
    this.#subscriber.off("message", listen);
    return awaited.size === 0;
  }

  /** Of a partition, what its keys begin with: Redis tells of all keys. */
  get #keyPrefix(): string {
    return this.#commands.options.keyPrefix ?? "";
  }

  #channel(event: string): string {
    return `__keyevent@${this.#subscriber.options.db ?? 0}__:${event}`;
  }
}

/** The flags that are needed and not among `flags`. */
export function missingFlags(flags: string): string {
  const present = flags.includes("A") ? flags + ALL_CLASSES : flags;
  return [...NEEDED_FLAGS].filter((flag) => !present.includes(flag)).join("");
}
