import { LEASE_KEY_PREFIX } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";

/** What may happen to a lease by another hand than the platform's. */
const EVENTS = ["new", "del", "expired", "evicted"];
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

  /** @param onLease called with each client whose lease something happened to */
  async start(onLease: (client: string) => void): Promise<void> {
    await this.#subscriber.connect();
    this.#subscriber.on("message", (_channel: string, key: string) => {
      if (key.startsWith(LEASE_KEY_PREFIX)) onLease(key.slice(LEASE_KEY_PREFIX.length));
    });
    const database = this.#subscriber.options.db ?? 0;
    await this.#subscriber.subscribe(...EVENTS.map((event) => `__keyevent@${database}__:${event}`));
    await this.enable();
  }

  /** Turns on what is needed, beside what others have turned on. To be called again when Redis is back: it may be new. */
  async enable(): Promise<void> {
    try {
      const [, flags = ""] = (await this.#commands.config("GET", "notify-keyspace-events")) as string[];
      const missing = missingFlags(flags);
      if (missing !== "") await this.#commands.config("SET", "notify-keyspace-events", flags + missing);
      this.#state = { enabled: true };
    } catch (error) {
      const reason = `keyspace notifications can't be turned on (${error instanceof Error ? error.message : String(error)})`;
      if (this.#state.enabled || this.#state.reason !== reason) {
        this.#logger.warn(`${reason}: leases ended by another hand are noticed at their deadlines only`);
      }
      this.#state = { enabled: false, reason };
    }
  }
}

/** The flags that are needed and not among `flags`. */
export function missingFlags(flags: string): string {
  const present = flags.includes("A") ? flags + ALL_CLASSES : flags;
  return [...NEEDED_FLAGS].filter((flag) => !present.includes(flag)).join("");
}
