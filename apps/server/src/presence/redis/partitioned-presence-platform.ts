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

/** For how long after the return of a partition those are vouched for whom its absence has cost their streams. */
const RETURN_INTERVALS = 1.25;
/** A partition whose stream could not be read for so long is away, in ms; a read takes a second where nothing happens. */
const AWAY_MS = 1_500;
const INSPECTIONS_PER_INTERVAL = 20;

export interface PartitionedPresenceOptions extends RedisPresenceOptions {
  /** How many partitions the cluster's clients are spread over. */
  partitionCount: number;
}

/** What is told of while a reading is being taken, for each partition: the reading may have come before it. */
type Meanwhile = readonly PresenceEvent[][];

/**
 * The presence platform in a Redis Cluster, as one of its servers sees it: a platform for each partition, with some of the
 * clients, and one order in which this server tells of them all.
 */
export class PartitionedPresencePlatform implements PresencePlatform {
  readonly heartbeatIntervalMs: number;
  readonly #parts: readonly RedisPresencePlatform[];
  readonly #order: LocalOrder;
  readonly #listeners = new Set<PresenceListener>();
  readonly #readings = new Set<Meanwhile>();
  readonly #maintenance: NodeJS.Timeout;
  /** Those who went while a partition was away, and are vouched for still. */
  readonly #kept = new Set<ClientId>();
  #lastAwayMs = Number.NEGATIVE_INFINITY;

  private constructor(parts: readonly RedisPresencePlatform[], order: LocalOrder, heartbeatIntervalMs: number) {
    this.heartbeatIntervalMs = heartbeatIntervalMs;
    this.#parts = parts;
    this.#order = order;
    this.#maintenance = setInterval(() => this.#runMaintenance(), heartbeatIntervalMs / INSPECTIONS_PER_INTERVAL);
    for (const [index, part] of parts.entries()) {
      part.subscribe({
        onEvents: (events) => this.#take(index, events),
        onGap: () => this.#resync(),
        onLost: () => {
          for (const listener of this.#listeners) listener.onLost();
        },
      });
    }
  }

  /**
   * Makes this server known to all partitions.
   *
   * @throws where one of them can't be reached, or refuses the library
   */
  static async connect({
    partitionCount,
    ...options
  }: PartitionedPresenceOptions): Promise<PartitionedPresencePlatform> {
    const { redisUrl, heartbeatIntervalMs } = options;
    const order = new LocalOrder();
    const connecting = partitionsOf(redisUrl, partitionCount).map((partition) =>
      RedisPresencePlatform.connect({ ...options, ...(partition && { partition }), takePosition: () => order.next() }),
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
    this.#kept.delete(client);
    this.#partOf(client).connect(client);
  }

  renew(client: ClientId): void {
    this.#partOf(client).renew(client);
  }

  /**
   * Where a partition is away, this server has nothing to tell, ends its streams and takes no new ones. The other partitions
   * know of no outage, and would declare offline whoever can't come back: so they are told later, when everybody could.
   */
  disconnect(client: ClientId): void {
    if (this.#isBackForLong()) this.#partOf(client).disconnect(client);
    else this.#kept.add(client);
  }

  leave(client: ClientId): Promise<void> {
    this.#kept.delete(client);
    return this.#partOf(client).leave(client);
  }

  watch(interest: Interest): void {
    for (const [part, own] of this.#split(interest)) part.watch(own);
  }

  unwatch(interest: Interest): void {
    for (const [part, own] of this.#split(interest)) part.unwatch(own);
  }

  watchedSince(interest: Interest): number {
    return Math.max(...this.#split(interest).map(([part, own]) => part.watchedSince(own)));
  }

  /**
   * Each partition is read at a moment of its own. What is told of it from there until the last has answered is added, so
   * that the whole stands at one position: the newest one by then.
   */
  async read(interest: Interest): Promise<PresenceSnapshot> {
    const { epoch } = this.#order.head;
    const meanwhile: Meanwhile = this.#parts.map(() => []);
    this.#readings.add(meanwhile);
    try {
      const readings = await Promise.all(this.#split(interest).map(([part, own]) => part.readAfterDelivery(own)));
      const id = { epoch, version: this.#order.next() };
      const presences = readings.flatMap((reading, index) => broughtUp(reading, meanwhile[index] ?? [], interest));
      return {
        at: Math.max(...readings.map(({ at }) => at)),
        id,
        presences: presences.map((presence) => ({ ...presence, version: Math.min(presence.version, id.version) })),
        // Versions of a reading are those of their partitions: they prove nothing in the order of this server.
        completeSince: id.version,
      };
    } catch (error) {
      this.#lastAwayMs = performance.now();
      throw error;
    } finally {
      this.#readings.delete(meanwhile);
    }
  }

  clockMs(): number {
    return Math.max(...this.#parts.map((part) => part.clockMs()));
  }

  head(): EventId {
    return this.#order.head;
  }

  subscribe(listener: PresenceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readiness(): Readiness {
    const readinesses = this.#parts.map((part) => part.readiness());
    return readinesses.find(({ ready }) => !ready) ?? { ready: true };
  }

  async close(): Promise<void> {
    clearInterval(this.#maintenance);
    this.#listeners.clear();
    await Promise.all(this.#parts.map((part) => part.close()));
  }

  #runMaintenance(): void {
    if (!this.#isBackForLong()) return;
    for (const client of this.#kept) this.#partOf(client).disconnect(client);
    this.#kept.clear();
  }

  /** Whether no partition has been away lately. */
  #isBackForLong(): boolean {
    const nowMs = performance.now();
    const isAnyAway = this.#parts.some((part) => !part.readiness().ready || part.silenceMs > AWAY_MS);
    if (isAnyAway) this.#lastAwayMs = nowMs;
    return nowMs - this.#lastAwayMs > RETURN_INTERVALS * this.heartbeatIntervalMs;
  }

  #take(index: number, events: readonly PresenceEvent[]): void {
    for (const meanwhile of this.#readings) meanwhile[index]?.push(...events);
    const ordered = events.map((event) => ({ ...event, version: this.#order.next(event.version) }));
    for (const listener of this.#listeners) listener.onEvents(ordered);
  }

  #resync(): void {
    this.#order.restart();
    for (const listener of this.#listeners) listener.onGap();
  }

  #partOf(client: ClientId): RedisPresencePlatform {
    const part = this.#parts[partitionOf(client, this.#parts.length)];
    if (!part) throw new Error("each client has a partition");
    return part;
  }

  /** Each partition, and whom of it `watch` names. */
  #split({ contacts, everyone, guests }: Interest): (readonly [RedisPresencePlatform, Interest])[] {
    const contactsOf = this.#parts.map(() => new Set<ClientId>());
    for (const contact of contacts) contactsOf[partitionOf(contact, this.#parts.length)]?.add(contact);
    return this.#parts.map((part, index) => [part, { contacts: contactsOf[index] ?? new Set(), everyone, guests }]);
  }
}

/** The presences of a reading, with what has been told since. */
function broughtUp(reading: PresenceSnapshot, told: readonly PresenceEvent[], interest: Interest): VersionedPresence[] {
  const presences = new Map(reading.presences.map((presence) => [presence.client, presence]));
  for (const { client, status, at, version, guest } of told) {
    if (version <= reading.id.version) continue;
    const isContact = interest.contacts.has(client);
    const isShownGuest = interest.guests && guest;
    if (!isContact && !isShownGuest) continue;
    if (!isContact && status === "OFFLINE") presences.delete(client);
    else {
      const previousVersion = presences.get(client)?.version ?? 0;
      presences.set(client, { client, status, since: at, version, previousVersion });
    }
  }
  return [...presences.values()];
}
