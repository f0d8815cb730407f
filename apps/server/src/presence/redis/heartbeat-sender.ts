import { type ClientId, HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { scheduleDispatch } from "../../batching/schedule-dispatch.ts";

/** Maximum number of clients per entry: enough to amortise the cost of an entry, and few enough not to block Redis. */
const MAX_BATCH_SIZE = 500;

/** Batching window for first heartbeats, in ms: the cost is the entry, not the number of clients in it. */
const BATCH_WINDOW_MS = 2;

/** Clients that share one entry, always in the same order: an unchanged entry is cheap to process. */
type Batch = Set<ClientId>;
/** The interval is divided into this many slots, and the clients are spread over them, so that they are not all due at once. */
const SLOTS = 20;

export type HeartbeatOutcome = "sent" | "failed";

export interface HeartbeatSenderOptions {
  redis: Redis;
  server: string;
  heartbeatIntervalMs: number;
  logger: Logger;
  /** Called for each entry with the number of its clients. */
  onHeartbeat: (outcome: HeartbeatOutcome, clientCount: number) => void;
}

/**
 * Sends heartbeats: the first one of a client at once, then one per interval.
 *
 * Heartbeats that cannot be sent while Redis is away are not queued; `sendAll` sends all of them after the reconnect. First
 * heartbeats, and heartbeats that Redis refuses, are retried within a slot.
 */
export class HeartbeatSender {
  readonly #redis: Redis;
  readonly #server: string;
  readonly #logger: Logger;
  readonly #onHeartbeat: HeartbeatSenderOptions["onHeartbeat"];
  readonly #slots: ReadonlyArray<Batch[]> = Array.from({ length: SLOTS }, () => []);
  readonly #batchOf = new Map<ClientId, Batch>();
  readonly #timer: NodeJS.Timeout;
  readonly #slotMs: number;
  #pending = new Set<ClientId>();
  #isDispatchScheduled = false;
  #windowEndMs = Number.NEGATIVE_INFINITY;
  /** Counts slots since the process started. */
  #tick: number;

  constructor({ redis, server, heartbeatIntervalMs, logger, onHeartbeat }: HeartbeatSenderOptions) {
    this.#redis = redis;
    this.#server = server;
    this.#logger = logger;
    this.#onHeartbeat = onHeartbeat;
    this.#slotMs = heartbeatIntervalMs / SLOTS;
    this.#tick = this.#currentTick();
    this.#timer = setInterval(() => this.#sendDueSlots(), this.#slotMs);
  }

  /** Starts heartbeats for `client`. Idempotent. */
  add(client: ClientId): void {
    if (this.#batchOf.has(client)) return;
    const slot = this.#slots[Math.floor(Math.random() * SLOTS)] ?? [];
    let batch = slot.find(({ size }) => size < MAX_BATCH_SIZE);
    if (!batch) {
      batch = new Set();
      slot.push(batch);
    }
    batch.add(client);
    this.#batchOf.set(client, batch);
    this.#pending.add(client);
    this.#scheduleDispatch();
  }

  /** Sends an extra heartbeat at once. */
  renew(client: ClientId): void {
    if (!this.#batchOf.has(client)) return;
    this.#pending.add(client);
    this.#scheduleDispatch();
  }

  /** Stops heartbeats. A pending first one is still sent, because the client was connected. */
  remove(client: ClientId): void {
    this.#batchOf.get(client)?.delete(client);
    this.#batchOf.delete(client);
  }

  /** Stops heartbeats and drops a pending one. */
  cancel(client: ClientId): void {
    this.remove(client);
    this.#pending.delete(client);
  }

  /** Sends a heartbeat for each client now: after a reconnect Redis may know none of them. */
  sendAll(): void {
    this.#pending = new Set(this.#batchOf.keys());
    this.#scheduleDispatch();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #scheduleDispatch(): void {
    if (this.#isDispatchScheduled) return;
    this.#isDispatchScheduled = true;
    scheduleDispatch(() => {
      this.#isDispatchScheduled = false;
      this.#windowEndMs = performance.now() + BATCH_WINDOW_MS;
      this.#sendPending();
    }, this.#windowEndMs);
  }

  #sendPending(): void {
    const clients = [...this.#pending];
    this.#pending = new Set();
    for (let start = 0; start < clients.length; start += MAX_BATCH_SIZE) {
      const batch = clients.slice(start, start + MAX_BATCH_SIZE);
      this.#send(batch, () => this.#retry(batch));
    }
  }

  /** Uses the clock instead of counting timer calls: with event loop lag one call covers several slots. */
  #sendDueSlots(): void {
    if (this.#pending.size > 0) this.#scheduleDispatch();
    const current = this.#currentTick();
    const due = Math.min(current - this.#tick, SLOTS);
    for (let tick = current - due + 1; tick <= current; tick += 1) this.#sendSlot(tick % SLOTS);
    this.#tick = current;
  }

  #sendSlot(index: number): void {
    const batches = (this.#slots[index] ?? []).filter(({ size }) => size > 0);
    for (const batch of batches) {
      const clients = [...batch];
      this.#send(clients, () => this.#retryIfConnected(clients));
    }
    // An entry without clients shows that the server is alive. A few of them per interval are enough.
    if (batches.length === 0 && index % (SLOTS / 4) === 0) this.#send([], () => {});
  }

  #retry(clients: readonly ClientId[]): void {
    for (const client of clients) if (this.#batchOf.has(client)) this.#pending.add(client);
  }

  /** Redis refused the entry: a retry after a whole interval would be too late. If the connection is lost, `sendAll` follows. */
  #retryIfConnected(clients: readonly ClientId[]): void {
    if (this.#redis.status === "ready") this.#retry(clients);
  }

  #currentTick(): number {
    return Math.floor(performance.now() / this.#slotMs);
  }

  #send(clients: readonly ClientId[], onFailure: () => void): void {
    const fields = clients.flatMap((client) => ["client", client]);
    this.#redis.xadd(HEARTBEAT_KEY, "*", "server", this.#server, ...fields).then(
      () => this.#onHeartbeat("sent", clients.length),
      (error: unknown) => {
        this.#logger.debug({ err: error }, "heartbeat could not be sent");
        this.#onHeartbeat("failed", clients.length);
        onFailure();
      },
    );
  }
}
