import { randomBytes } from "node:crypto";
import type { ClientId, EventId, PresenceEvent, Reason, Status } from "@presence/protocol";
import {
  type Interest,
  leaseDurationMs,
  type PresenceListener,
  type PresencePlatform,
  type PresenceSnapshot,
  type Readiness,
} from "../presence-platform.ts";
import { LeaseTable } from "./lease-table.ts";
import { PresenceJournal } from "./presence-journal.ts";

/** "Last seen" is remembered for this many clients: some 10 MB, and more people than one process serves. */
const MAX_ABSENT_REMEMBERED = 100_000;

export interface LocalPresenceOptions {
  heartbeatIntervalMs: number;
  /** Whether a client is known only while online. */
  isGuest: (client: ClientId) => boolean;
  /** Told how long after the end of its lease a client's `OFFLINE` was published, in ms. */
  onOfflineLag?: (lagMs: number) => void;
}

/**
 * The presence platform of one server without Redis.
 *
 * Leases run on the monotonic clock, so that setting the wall clock kills nobody; `at` and `since` are wall time.
 */
export class LocalPresencePlatform implements PresencePlatform {
  readonly heartbeatIntervalMs: number;
  readonly #leases: LeaseTable;
  readonly #journal = new PresenceJournal({
    epoch: randomEpoch(),
    startedMs: Date.now(),
    maxAbsent: MAX_ABSENT_REMEMBERED,
  });
  readonly #connected = new Set<ClientId>();
  readonly #listeners = new Set<PresenceListener>();
  readonly #isGuest: (client: ClientId) => boolean;
  readonly #onOfflineLag: (lagMs: number) => void;
  readonly #heartbeat: NodeJS.Timeout;
  #deadline: NodeJS.Timeout | undefined;

  constructor({ heartbeatIntervalMs, isGuest, onOfflineLag = () => {} }: LocalPresenceOptions) {
    this.heartbeatIntervalMs = heartbeatIntervalMs;
    this.#leases = new LeaseTable(leaseDurationMs(heartbeatIntervalMs));
    this.#isGuest = isGuest;
    this.#onOfflineLag = onOfflineLag;
    this.#heartbeat = setInterval(() => this.#refreshConnected(), heartbeatIntervalMs);
  }

  connect(client: ClientId): void {
    if (this.#connected.has(client)) return;
    this.#connected.add(client);
    this.#leases.refresh(client, performance.now());
    this.#awaitNextDeadline();
    this.#publish([this.#record(client, "ONLINE", "connected")]);
  }

  renew(client: ClientId): void {
    if (this.#connected.has(client)) this.#leases.refresh(client, performance.now());
  }

  disconnect(client: ClientId): void {
    this.#connected.delete(client);
  }

  leave(client: ClientId): Promise<void> {
    this.#connected.delete(client);
    this.#leases.end(client);
    this.#publish([this.#record(client, "OFFLINE", "left")]);
    return Promise.resolve();
  }

  /** Listeners are told of everyone, always. */
  watch(): void {}

  unwatch(): void {}

  watchedSince(): number {
    return 0;
  }

  read({ contacts, guests }: Interest): Promise<PresenceSnapshot> {
    const at = Date.now();
    const asked = guests ? new Set([...contacts, ...this.#journal.guestsOnline]) : contacts;
    const presences = Array.from(asked, (client) => this.#journal.presenceOf(client));
    return Promise.resolve({
      at,
      id: this.#journal.tick(at),
      presences,
      completeSince: this.#journal.forgottenVersion,
    });
  }

  clockMs(): number {
    return Date.now();
  }

  head(): EventId {
    return this.#journal.head;
  }

  subscribe(listener: PresenceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readiness(): Readiness {
    return { ready: true };
  }

  close(): Promise<void> {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#deadline);
    this.#listeners.clear();
    return Promise.resolve();
  }

  #refreshConnected(): void {
    const nowMs = performance.now();
    for (const client of this.#connected) this.#leases.refresh(client, nowMs);
  }

  /** A running timer is never too late: refreshing only moves deadlines on. */
  #awaitNextDeadline(): void {
    if (this.#deadline !== undefined) return;
    const deadlineMs = this.#leases.nextDeadlineMs();
    if (deadlineMs === undefined) return;
    const waitMs = Math.ceil(deadlineMs - performance.now());
    this.#deadline = setTimeout(() => this.#sweep(), Math.max(0, waitMs));
  }

  /**
   * Publishes the end of leases that ran out. A process that was stopped for a while (a sleeping laptop) finds all of
   * them run out at once: who is still connected is refreshed, not mourned.
   */
  #sweep(): void {
    this.#deadline = undefined;
    const nowMs = performance.now();
    const dead: (PresenceEvent | undefined)[] = [];
    for (const { client, deadlineMs } of this.#leases.takeExpired(nowMs)) {
      if (this.#connected.has(client)) {
        this.#leases.refresh(client, nowMs);
      } else {
        dead.push(this.#record(client, "OFFLINE", "timed-out"));
        this.#onOfflineLag(nowMs - deadlineMs);
      }
    }
    this.#awaitNextDeadline();
    this.#publish(dead);
  }

  #publish(changes: readonly (PresenceEvent | undefined)[]): void {
    const events = changes.filter((event) => event !== undefined);
    if (events.length === 0) return;
    for (const listener of this.#listeners) listener.onEvents(events);
  }

  #record(client: ClientId, status: Status, reason: Reason): PresenceEvent | undefined {
    return this.#journal.record({ client, status, reason, guest: this.#isGuest(client) }, Date.now());
  }
}

function randomEpoch(): string {
  return BigInt(`0x${randomBytes(8).toString("hex")}`).toString(36);
}
