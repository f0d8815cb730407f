import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { LEASE_KEY_PREFIX } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { pause } from "./pace.ts";
import { connected } from "./redis-connection.ts";

/** A change of a lease, by an external program or by the platform. */
export type LeaseEvent = "began" | "ended";

const NEW_KEY_EVENT = "new";
const EVENTS = [NEW_KEY_EVENT, "del", "expired", "evicted"];
/** The events that a probe key can cause. */
const PROBED_EVENTS = [NEW_KEY_EVENT, "del", "expired"];
const PROBE_KEY_PREFIX = "presence:probe:";
const PROBE_EXPIRY_WAIT_MS = 10;
const PROBE_TIMEOUT_MS = 1_000;
/** Keyevent notifications (`E`) for generic commands such as `del`, and for expired, evicted and new keys. */
const NEEDED_FLAGS = "Egxen";
/** The flags that `A` includes. */
const ALL_CLASSES = "g$lshztdxe";

export type NotificationState = { enabled: true } | { enabled: false; reason: string };

/**
 * Reports leases that begin or end, so that changes by external programs are published at once.
 *
 * Notifications are fire-and-forget: while the subscriber is disconnected, they are lost. The platform does not depend on
 * them: the deadline clock detects later what they miss.
 */
export class KeyspaceSubscriber {
  readonly #commands: Redis;
  readonly #subscriber: Redis;
  readonly #logger: Logger;
  #state: NotificationState = { enabled: false, reason: "not enabled yet" };

  /** @param subscriber a dedicated connection, because it enters subscriber mode */
  constructor(commands: Redis, subscriber: Redis, logger: Logger) {
    this.#commands = commands;
    this.#subscriber = subscriber;
    this.#logger = logger;
  }

  get state(): NotificationState {
    return this.#state;
  }

  /** @param onLease called for each lease that begins or ends */
  async start(onLease: (client: string, happened: LeaseEvent) => void): Promise<void> {
    const newKeyChannel = this.#channel(NEW_KEY_EVENT);
    const leasePrefix = this.#keyPrefix + LEASE_KEY_PREFIX;
    this.#subscriber.on("message", (channel: string, key: string) => {
      if (!key.startsWith(leasePrefix)) return;
      onLease(key.slice(leasePrefix.length), channel === newKeyChannel ? "began" : "ended");
    });
    await this.enable();
  }

  /**
   * Like `enable`, but in a cluster reconnects the subscriber first, because the slot may have another primary now. The old
   * primary would keep the connection open and never report these keys.
   */
  async enableAfterReconnect(): Promise<void> {
    if (this.#keyPrefix !== "" && this.#subscriber.status === "ready") {
      const closed = once(this.#subscriber, "close");
      this.#subscriber.disconnect(true);
      await closed;
    }
    await this.enable();
  }

  /** Adds the flags it needs to those already set. Call it after each reconnect, because Redis may have restarted. */
  async enable(): Promise<void> {
    try {
      await connected(this.#subscriber);
      await this.#subscriber.subscribe(...EVENTS.map((event) => this.#channel(event)));
      await this.#turnOn();
      this.#state = { enabled: true };
    } catch (error) {
      const reason = `keyspace notifications can't be turned on (${error instanceof Error ? error.message : String(error)})`;
      if (this.#state.enabled || this.#state.reason !== reason) {
        this.#logger.warn(`${reason}: leases changed by external programs are detected at their deadlines only`);
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
      // CONFIG is not permitted. An operator may have set the flags already.
      if (!(await this.#areOn())) throw error;
    }
  }

  /** Whether notifications arrive. Tests it with a key that is set, deleted, set again and expires. */
  async #areOn(): Promise<boolean> {
    const probe = PROBE_KEY_PREFIX + randomUUID();
    const probed = this.#keyPrefix + probe;
    const awaited = new Set(PROBED_EVENTS.map((event) => this.#channel(event)));
    const allArrived = new AbortController();
    const listen = (channel: string, key: string) => {
      if (key === probed) awaited.delete(channel);
      if (awaited.size === 0) allArrived.abort();
    };
    this.#subscriber.on("message", listen);
    await this.#commands.set(probe, "");
    await this.#commands.del(probe);
    await this.#commands.set(probe, "", "PX", 1);
    await pause(PROBE_EXPIRY_WAIT_MS, allArrived.signal);
    // Reading an expired key makes Redis send its notification.
    await this.#commands.get(probe);
    await pause(PROBE_TIMEOUT_MS, allArrived.signal);
    this.#subscriber.off("message", listen);
    return awaited.size === 0;
  }

  /** The prefix of the partition. Notifications contain the full key, and arrive for the keys of all partitions. */
  get #keyPrefix(): string {
    return this.#commands.options.keyPrefix ?? "";
  }

  #channel(event: string): string {
    return `__keyevent@${this.#subscriber.options.db ?? 0}__:${event}`;
  }
}

/** The needed flags that `flags` does not include. */
export function missingFlags(flags: string): string {
  const present = flags.includes("A") ? flags + ALL_CLASSES : flags;
  return [...NEEDED_FLAGS].filter((flag) => !present.includes(flag)).join("");
}
