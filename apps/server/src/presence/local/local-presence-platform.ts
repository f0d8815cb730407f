import type { ClientId, EventId, PresenceEvent, Reason, Status } from "@presence/protocol";
import {
  type Interest,
  leaseDurationMs,
  type PresenceListener,
  type PresencePlatform,
  type PresenceSnapshot,
  type Readiness,
} from "../presence-platform.ts";
import { randomEpoch } from "../random-epoch.ts";
import { LeaseTable } from "./lease-table.ts";
import { PresenceJournal } from "./presence-journal.ts";

/** "Last seen" is kept for this many offline clients: about 10 MB, and more clients than one process serves. */
const MAX_OFFLINE_CLIENTS = 100_000;

export interface LocalPresenceOptions {
  heartbeatIntervalMs: number;
  /** Whether a client is a guest: it is known only while it is online. */
  isGuest: (client: ClientId) => boolean;
  /** Called for each expired lease with the delay between its deadline and the `OFFLINE` event, in ms. */
  onOfflineLag?: (lagMs: number) => void;
}

/**
 * The presence platform of a single server without Redis.
 *
 * Leases use the monotonic clock, so a change of the wall clock expires no lease. `at` and `since` are wall-clock time.
 */
export class LocalPresencePlatform implements PresencePlatform {
  readonly heartbeatIntervalMs: number;
  readonly #leases: LeaseTable;
  readonly #journal = new PresenceJournal({
    epoch: randomEpoch(),
    startedMs: Date.now(),
    maxOfflineClients: MAX_OFFLINE_CLIENTS,
  });
  readonly #connected = new Set<ClientId>();
  readonly #listeners = new Set<PresenceListener>();
  readonly #isGuest: (client: ClientId) => boolean;
  readonly #onOfflineLag: (lagMs: number) => void;
  readonly #heartbeatTimer: NodeJS.Timeout;
  #sweepTimer: NodeJS.Timeout | undefined;

  constructor({ heartbeatIntervalMs, isGuest, onOfflineLag = () => {} }: LocalPresenceOptions) {
    this.heartbeatIntervalMs = heartbeatIntervalMs;
    this.#leases = new LeaseTable(leaseDurationMs(heartbeatIntervalMs));
    this.#isGuest = isGuest;
    this.#onOfflineLag = onOfflineLag;
    this.#heartbeatTimer = setInterval(() => this.#renewConnected(), heartbeatIntervalMs);
  }

  connect(client: ClientId): void {
    if (this.#connected.has(client)) return;
    this.#connected.add(client);
    this.#leases.renew(client, performance.now());
    this.#scheduleSweep();
    this.#publish([this.#record(client, "ONLINE", "connected")]);
  }

  renew(client: ClientId): void {
    if (this.#connected.has(client)) this.#leases.renew(client, performance.now());
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

  /** Does nothing: listeners always receive the events of all clients. */
  watch(): void {}

  unwatch(): void {}

  watchedSince(): number {
    return 0;
  }

  read({ contacts, guests }: Interest): Promise<PresenceSnapshot> {
    const at = Date.now();
    const clients = guests ? new Set([...contacts, ...this.#journal.guestsOnline]) : contacts;
    const presences = Array.from(clients, (client) => this.#journal.presenceOf(client));
    return Promise.resolve({ at, id: this.#journal.tick(at), presences, completeSince: this.#journal.completeSince });
  }

  clockMs(): number {
    return Date.now();
  }

  completeUntilMs(): number {
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
    clearInterval(this.#heartbeatTimer);
    clearTimeout(this.#sweepTimer);
    this.#listeners.clear();
    return Promise.resolve();
  }

  #renewConnected(): void {
    const nowMs = performance.now();
    for (const client of this.#connected) this.#leases.renew(client, nowMs);
  }

  /** A timer that is already set never fires too late, because renewals only postpone deadlines. */
  #scheduleSweep(): void {
    if (this.#sweepTimer !== undefined) return;
    const deadlineMs = this.#leases.nextDeadlineMs();
    if (deadlineMs === undefined) return;
    const waitMs = Math.ceil(deadlineMs - performance.now());
    this.#sweepTimer = setTimeout(() => this.#sweep(), Math.max(0, waitMs));
  }

  /**
   * Publishes the end of expired leases. After the process was suspended (a sleeping laptop) all leases have expired at
   * once; those of clients that are still connected are renewed instead.
   */
  #sweep(): void {
    this.#sweepTimer = undefined;
    const nowMs = performance.now();
    const changes: (PresenceEvent | undefined)[] = [];
    for (const { client, deadlineMs } of this.#leases.takeExpired(nowMs)) {
      if (this.#connected.has(client)) {
        this.#leases.renew(client, nowMs);
      } else {
        changes.push(this.#record(client, "OFFLINE", "timed-out"));
        this.#onOfflineLag(nowMs - deadlineMs);
      }
    }
    this.#scheduleSweep();
    this.#publish(changes);
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
