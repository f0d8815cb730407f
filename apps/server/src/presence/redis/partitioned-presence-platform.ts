import { partitionsOf } from "@presence/gears";
import { type ClientId, type EventId, type PresenceEvent, partitionOf } from "@presence/protocol";
import type {
  Interest,
  PresenceListener,
  PresencePlatform,
  PresenceSnapshot,
  Readiness,
  VersionedPresence,
} from "../presence-platform.ts";
import { LocalOrder } from "./local-order.ts";
import { type RedisPresenceOptions, RedisPresencePlatform } from "./redis-presence-platform.ts";

/** After an outage of a partition, disconnects are deferred for this many intervals, so that clients can reconnect. */
const RECONNECT_INTERVALS = 1.25;
/** A partition is down if its stream was not read for this long, in ms. A blocking read without events takes one second. */
const DOWN_AFTER_MS = 1_500;
const MAINTENANCE_RUNS_PER_INTERVAL = 20;

export interface PartitionedPresenceOptions extends RedisPresenceOptions {
  /** Number of partitions that the clients are spread over. */
  partitionCount: number;
}

/** Per partition, the events that were published while a snapshot was being read: the snapshot may be older. */
type ConcurrentEvents = readonly PresenceEvent[][];

/**
 * The presence platform in a Redis Cluster, as one server uses it: one platform per partition, each with some of the
 * clients, and one common event order.
 */
export class PartitionedPresencePlatform implements PresencePlatform {
  readonly heartbeatIntervalMs: number;
  readonly #platforms: readonly RedisPresencePlatform[];
  readonly #order: LocalOrder;
  readonly #listeners = new Set<PresenceListener>();
  /** One per `read` in progress. */
  readonly #concurrentEvents = new Set<ConcurrentEvents>();
  readonly #maintenance: NodeJS.Timeout;
  /** Clients that disconnected during an outage. Their heartbeats continue until it is over. */
  readonly #deferredDisconnects = new Set<ClientId>();
  #lastOutageMs = Number.NEGATIVE_INFINITY;

  private constructor(platforms: readonly RedisPresencePlatform[], order: LocalOrder, heartbeatIntervalMs: number) {
    this.heartbeatIntervalMs = heartbeatIntervalMs;
    this.#platforms = platforms;
    this.#order = order;
    this.#maintenance = setInterval(() => this.#runMaintenance(), heartbeatIntervalMs / MAINTENANCE_RUNS_PER_INTERVAL);
    for (const [index, platform] of platforms.entries()) {
      platform.subscribe({
        onEvents: (events) => this.#publish(index, events),
        onGap: () => this.#resync(),
        onLost: () => {
          for (const listener of this.#listeners) listener.onLost();
        },
      });
    }
  }

  /**
   * Registers this server in all partitions.
   *
   * @throws if a partition can't be reached or refuses the library
   */
  static async connect({
    partitionCount,
    ...options
  }: PartitionedPresenceOptions): Promise<PartitionedPresencePlatform> {
    const { redisUrl, heartbeatIntervalMs } = options;
    const order = new LocalOrder();
    const connecting = partitionsOf(redisUrl, partitionCount).map((partition) =>
      RedisPresencePlatform.connect({ ...options, ...(partition && { partition }), nextPosition: () => order.next() }),
    );
    try {
      return new PartitionedPresencePlatform(await Promise.all(connecting), order, heartbeatIntervalMs);
    } catch (error) {
      const outcomes = await Promise.allSettled(connecting);
      await Promise.all(
        outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value.close() : undefined)),
      );
      throw error;
    }
  }

  connect(client: ClientId): void {
    this.#deferredDisconnects.delete(client);
    this.#platformOf(client).connect(client);
  }

  renew(client: ClientId): void {
    this.#platformOf(client).renew(client);
  }

  /**
   * While a partition is down, this server accepts no new streams, so no client can reconnect. The other partitions do not
   * know of the outage and would publish `OFFLINE`. So disconnects are deferred until clients had time to reconnect.
   */
  disconnect(client: ClientId): void {
    if (this.#isStable()) this.#platformOf(client).disconnect(client);
    else this.#deferredDisconnects.add(client);
  }

  leave(client: ClientId): Promise<void> {
    this.#deferredDisconnects.delete(client);
    return this.#platformOf(client).leave(client);
  }

  watch(interest: Interest): void {
    for (const [platform, own] of this.#split(interest)) platform.watch(own);
  }

  unwatch(interest: Interest): void {
    for (const [platform, own] of this.#split(interest)) platform.unwatch(own);
  }

  watchedSince(interest: Interest): number {
    return Math.max(...this.#split(interest).map(([platform, own]) => platform.watchedSince(own)));
  }

  /**
   * Reads a snapshot of each partition, at different times. Events that arrive until the last reply are applied to the
   * earlier snapshots, so that the result is valid at one position: the newest one.
   */
  async read(interest: Interest): Promise<PresenceSnapshot> {
    const { epoch } = this.#order.head;
    const concurrentEvents: ConcurrentEvents = this.#platforms.map(() => []);
    this.#concurrentEvents.add(concurrentEvents);
    try {
      const snapshots = await Promise.all(
        this.#split(interest).map(([platform, own]) => platform.readAfterDelivery(own)),
      );
      const id = { epoch, version: this.#order.next() };
      const presences = snapshots.flatMap((snapshot, index) =>
        applyEvents(snapshot, concurrentEvents[index] ?? [], interest),
      );
      return {
        at: Math.max(...snapshots.map(({ at }) => at)),
        id,
        presences: presences.map((presence) => ({ ...presence, version: Math.min(presence.version, id.version) })),
        // The versions in a snapshot are those of the partitions, so they prove nothing in this server's order.
        completeSince: id.version,
      };
    } catch (error) {
      this.#lastOutageMs = performance.now();
      throw error;
    } finally {
      this.#concurrentEvents.delete(concurrentEvents);
    }
  }

  clockMs(): number {
    return Math.max(...this.#platforms.map((platform) => platform.clockMs()));
  }

  completeUntilMs(): number {
    return Math.min(...this.#platforms.map((platform) => platform.completeUntilMs()));
  }

  head(): EventId {
    return this.#order.head;
  }

  subscribe(listener: PresenceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readiness(): Readiness {
    const readinesses = this.#platforms.map((platform) => platform.readiness());
    return readinesses.find(({ ready }) => !ready) ?? { ready: true };
  }

  async close(): Promise<void> {
    clearInterval(this.#maintenance);
    this.#listeners.clear();
    await Promise.all(this.#platforms.map((platform) => platform.close()));
  }

  #runMaintenance(): void {
    if (!this.#isStable()) return;
    for (const client of this.#deferredDisconnects) this.#platformOf(client).disconnect(client);
    this.#deferredDisconnects.clear();
  }

  /** Whether no partition was down within the last `RECONNECT_INTERVALS`. */
  #isStable(): boolean {
    const nowMs = performance.now();
    const isAnyDown = this.#platforms.some(
      (platform) => !platform.readiness().ready || platform.silenceMs > DOWN_AFTER_MS,
    );
    if (isAnyDown) this.#lastOutageMs = nowMs;
    return nowMs - this.#lastOutageMs > RECONNECT_INTERVALS * this.heartbeatIntervalMs;
  }

  #publish(index: number, events: readonly PresenceEvent[]): void {
    for (const concurrentEvents of this.#concurrentEvents) concurrentEvents[index]?.push(...events);
    const ordered = events.map((event) => ({ ...event, version: this.#order.next(event.version) }));
    for (const listener of this.#listeners) listener.onEvents(ordered);
  }

  #resync(): void {
    this.#order.restart();
    for (const listener of this.#listeners) listener.onGap();
  }

  #platformOf(client: ClientId): RedisPresencePlatform {
    const platform = this.#platforms[partitionOf(client, this.#platforms.length)];
    if (!platform) throw new Error("each client has a partition");
    return platform;
  }

  /** The platform of each partition, with the contacts of that partition. */
  #split({ contacts, everyone, guests }: Interest): (readonly [RedisPresencePlatform, Interest])[] {
    const contactsOf = this.#platforms.map(() => new Set<ClientId>());
    for (const contact of contacts) contactsOf[partitionOf(contact, this.#platforms.length)]?.add(contact);
    return this.#platforms.map((platform, index) => [
      platform,
      { contacts: contactsOf[index] ?? new Set(), everyone, guests },
    ]);
  }
}

/** The presences of a snapshot after newer events. */
function applyEvents(
  snapshot: PresenceSnapshot,
  events: readonly PresenceEvent[],
  interest: Interest,
): VersionedPresence[] {
  const presences = new Map(snapshot.presences.map((presence) => [presence.client, presence]));
  for (const { client, status, at, version, guest } of events) {
    if (version <= snapshot.id.version) continue;
    const isContact = interest.contacts.has(client);
    const isVisibleGuest = interest.guests && guest;
    if (!isContact && !isVisibleGuest) continue;
    if (!isContact && status === "OFFLINE") presences.delete(client);
    else {
      const previousVersion = presences.get(client)?.version ?? 0;
      presences.set(client, { client, status, since: at, version, previousVersion });
    }
  }
  return [...presences.values()];
}
