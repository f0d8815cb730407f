import { type ClientId, HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { scheduleDispatch } from "../../batching/schedule-dispatch.ts";

/** How many clients one entry names: enough that the entry costs little, and few enough that Redis is not held up. */
const MAX_CLIENTS_PER_ENTRY = 500;

/** After one entry of newcomers the next waits for so long, in ms: what costs is the entry, and not whom it names. */
const JOIN_WINDOW_MS = 2;

/** Clients that are named in one entry, always the same ones in the same order: what doesn't change is cheap to work off. */
type Batch = Set<ClientId>;
/** The interval is cut into so many parts, and a server's clients spread over them, so that not all are due at once. */
const PARTS = 20;

export type HeartbeatOutcome = "sent" | "failed";

export interface HeartbeatSenderOptions {
  redis: Redis;
  server: string;
  heartbeatIntervalMs: number;
  logger: Logger;
  /** Told of each entry, and how many clients it names. */
  onHeartbeat: (outcome: HeartbeatOutcome, clientCount: number) => void;
}

/**
 * Publishes heartbeats: each connected client's once an interval, and its first at once.
 *
 * What can't be sent while Redis is away is not kept: all is said again when it is back. What is refused, and each client's
 * first heartbeat, is tried again soon.
 */
export class HeartbeatSender {
  readonly #redis: Redis;
  readonly #server: string;
  readonly #logger: Logger;
  readonly #onHeartbeat: HeartbeatSenderOptions["onHeartbeat"];
  readonly #parts: ReadonlyArray<Batch[]> = Array.from({ length: PARTS }, () => []);
  readonly #batchOf = new Map<ClientId, Batch>();
  readonly #timer: NodeJS.Timeout;
  readonly #partMs: number;
  #unsaid = new Set<ClientId>();
  #isFlushScheduled = false;
  #windowEndMs = Number.NEGATIVE_INFINITY;
  /** Counts parts of intervals since the process began. */
  #tick: number;

  constructor({ redis, server, heartbeatIntervalMs, logger, onHeartbeat }: HeartbeatSenderOptions) {
    this.#redis = redis;
    this.#server = server;
    this.#logger = logger;
    this.#onHeartbeat = onHeartbeat;
    this.#partMs = heartbeatIntervalMs / PARTS;
    this.#tick = this.#currentTick();
    this.#timer = setInterval(() => this.#sendDueParts(), this.#partMs);
  }

  add(client: ClientId): void {
    if (this.#batchOf.has(client)) return;
    const part = this.#parts[Math.floor(Math.random() * PARTS)] ?? [];
    let batch = part.find(({ size }) => size < MAX_CLIENTS_PER_ENTRY);
    if (!batch) {
      batch = new Set();
      part.push(batch);
    }
    batch.add(client);
    this.#batchOf.set(client, batch);
    this.#unsaid.add(client);
    this.#scheduleFlush();
  }

  /** Says now what would be said within the interval. */
  repeat(client: ClientId): void {
    if (!this.#batchOf.has(client)) return;
    this.#unsaid.add(client);
    this.#scheduleFlush();
  }

  /** No further heartbeats; a first one that is about to go still goes, as the client was here. */
  remove(client: ClientId): void {
    this.#batchOf.get(client)?.delete(client);
    this.#batchOf.delete(client);
  }

  /** Not even a first one. */
  withdraw(client: ClientId): void {
    this.remove(client);
    this.#unsaid.delete(client);
  }

  /** Says all of it now: Redis is back, and may not know. */
  sendAll(): void {
    this.#unsaid = new Set(this.#batchOf.keys());
    this.#scheduleFlush();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Those who connect in quick succession go into one entry. */
  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    scheduleDispatch(() => {
      this.#isFlushScheduled = false;
      this.#windowEndMs = performance.now() + JOIN_WINDOW_MS;
      this.#sendUnsaid();
    }, this.#windowEndMs);
  }

  #sendUnsaid(): void {
    const clients = [...this.#unsaid];
    this.#unsaid = new Set();
    for (let start = 0; start < clients.length; start += MAX_CLIENTS_PER_ENTRY) {
      const entry = clients.slice(start, start + MAX_CLIENTS_PER_ENTRY);
      this.#send(entry, () => this.#keepUnsaid(entry));
    }
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
    const batches = (this.#parts[index] ?? []).filter(({ size }) => size > 0);
    for (const batch of batches) {
      const clients = [...batch];
      this.#send(clients, () => this.#sayAgain(clients));
    }
    // An entry without clients says that the server lives; a few of them an interval are enough.
    if (batches.length === 0 && index % (PARTS / 4) === 0) this.#send([], () => {});
  }

  #keepUnsaid(clients: readonly ClientId[]): void {
    for (const client of clients) if (this.#batchOf.has(client)) this.#unsaid.add(client);
  }

  /** Refused over a connection that lasts: in an interval it would be too late. One that is lost says all when it is back. */
  #sayAgain(clients: readonly ClientId[]): void {
    if (this.#redis.status === "ready") this.#keepUnsaid(clients);
  }

  #currentTick(): number {
    return Math.floor(performance.now() / this.#partMs);
  }

  #send(clients: readonly ClientId[], onFailure: () => void): void {
    const fields = clients.flatMap((client) => ["client", client]);
    this.#redis.xadd(HEARTBEAT_KEY, "*", "server", this.#server, ...fields).then(
      () => this.#onHeartbeat("sent", clients.length),
      (error: unknown) => {
        this.#logger.debug({ err: error }, "a heartbeat could not be sent");
        this.#onHeartbeat("failed", clients.length);
        onFailure();
      },
    );
  }
}
