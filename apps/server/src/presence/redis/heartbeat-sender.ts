import { type ClientId, HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";

/** How many clients one entry names: enough that the entry costs little, and few enough that Redis is not held up. */
const MAX_CLIENTS_PER_ENTRY = 500;
/** The interval is cut into so many parts, and a server's clients spread over them, so that not all are due at once. */
const PARTS = 20;

/**
 * Publishes heartbeats: each connected client's once an interval, and its first at once.
 *
 * What can't be sent is not kept: the next one says the same, and later. Only a first heartbeat is tried again, soon.
 */
export class HeartbeatSender {
  readonly #redis: Redis;
  readonly #server: string;
  readonly #logger: Logger;
  readonly #parts: ReadonlyArray<Set<ClientId>> = Array.from({ length: PARTS }, () => new Set());
  readonly #partOf = new Map<ClientId, Set<ClientId>>();
  readonly #timer: NodeJS.Timeout;
  readonly #partMs: number;
  #unsaid = new Set<ClientId>();
  #isFlushScheduled = false;
  /** Counts parts of intervals since the process began. */
  #tick: number;

  constructor(redis: Redis, server: string, heartbeatIntervalMs: number, logger: Logger) {
    this.#redis = redis;
    this.#server = server;
    this.#logger = logger;
    this.#partMs = heartbeatIntervalMs / PARTS;
    this.#tick = this.#currentTick();
    this.#timer = setInterval(() => this.#sendDueParts(), this.#partMs);
  }

  add(client: ClientId): void {
    if (this.#partOf.has(client)) return;
    const part = this.#parts[Math.floor(Math.random() * PARTS)];
    if (!part) return;
    part.add(client);
    this.#partOf.set(client, part);
    this.#unsaid.add(client);
    this.#scheduleFlush();
  }

  /** No further heartbeats; a first one that is about to go still goes, as the client was here. */
  remove(client: ClientId): void {
    this.#partOf.get(client)?.delete(client);
    this.#partOf.delete(client);
  }

  /** Not even a first one. */
  withdraw(client: ClientId): void {
    this.remove(client);
    this.#unsaid.delete(client);
  }

  /** Says all of it now: Redis is back, and may not know. */
  sendAll(): void {
    this.#unsaid = new Set(this.#partOf.keys());
    this.#scheduleFlush();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Those who connect in one moment go into one entry. */
  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(() => {
      this.#isFlushScheduled = false;
      this.#sendUnsaid();
    });
  }

  #sendUnsaid(): void {
    const clients = [...this.#unsaid];
    this.#unsaid = new Set();
    this.#send(clients, () => {
      for (const client of clients) if (this.#partOf.has(client)) this.#unsaid.add(client);
    });
  }

  /** By the clock and not by counting calls: a busy process is called late, and then has more to send. */
  #sendDueParts(): void {
    if (this.#unsaid.size > 0) this.#scheduleFlush();
    const current = this.#currentTick();
    const due = Math.min(current - this.#tick, PARTS);
    for (let tick = current - due + 1; tick <= current; tick += 1) this.#sendPart(tick % PARTS);
    this.#tick = current;
  }

  #sendPart(index: number): void {
    const part = this.#parts[index] ?? new Set();
    // An entry without clients says that the server lives; a few of them an interval are enough.
    if (part.size > 0 || index % (PARTS / 4) === 0) this.#send([...part], () => {});
  }

  #currentTick(): number {
    return Math.floor(performance.now() / this.#partMs);
  }

  #send(clients: readonly ClientId[], onFailure: () => void): void {
    for (let start = 0; start === 0 || start < clients.length; start += MAX_CLIENTS_PER_ENTRY) {
      const fields = clients.slice(start, start + MAX_CLIENTS_PER_ENTRY).flatMap((client) => ["client", client]);
      this.#redis.xadd(HEARTBEAT_KEY, "*", "server", this.#server, ...fields).catch((error: unknown) => {
        this.#logger.debug({ err: error }, "a heartbeat could not be sent");
        onFailure();
      });
    }
  }
}
