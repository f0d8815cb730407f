import { EVERYONE, GUESTS } from "@presence/gears";
import type { Interest } from "../presence-platform.ts";

/** A subscribed name: a client id, `EVERYONE` or `GUESTS`. */
type Name = string;

/**
 * Counts this server's viewers per name, and tracks which names the platform has confirmed. It does no I/O: the caller
 * sends the names that `takePending` and `takeUnused` return to Redis.
 */
export class InterestLedger {
  readonly #viewerCounts = new Map<Name, number>();
  /** Subscribed names, with the version after which this server receives their events. */
  readonly #subscribedSince = new Map<Name, number>();
  #pending = new Set<Name>();

  add(interest: Interest): void {
    forEachName(interest, (name) => {
      this.#viewerCounts.set(name, (this.#viewerCounts.get(name) ?? 0) + 1);
      if (!this.#subscribedSince.has(name)) this.#pending.add(name);
    });
  }

  remove(interest: Interest): void {
    forEachName(interest, (name) => {
      const remaining = (this.#viewerCounts.get(name) ?? 0) - 1;
      if (remaining > 0) this.#viewerCounts.set(name, remaining);
      else {
        this.#viewerCounts.delete(name);
        this.#pending.delete(name);
      }
    });
  }

  /** Whether some names are not yet subscribed. */
  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /** Removes and returns the pending names. Call `confirm` or `fail` with them. */
  takePending(): Name[] {
    const names = [...this.#pending];
    this.#pending = new Set();
    return names;
  }

  /** The names are subscribed: their events arrive after `version`. */
  confirm(names: readonly Name[], version: number): void {
    for (const name of names) this.#subscribedSince.set(name, version);
  }

  /** The names could not be subscribed: they are pending again. */
  fail(names: readonly Name[]): void {
    for (const name of names) if (this.#viewerCounts.has(name)) this.#pending.add(name);
  }

  /** Returns the subscribed names that have no viewer left, and marks them as unsubscribed. */
  takeUnused(): Name[] {
    const unused = [...this.#subscribedSince.keys()].filter((name) => !this.#viewerCounts.has(name));
    for (const name of unused) this.#subscribedSince.delete(name);
    return unused;
  }

  /** Marks all names as pending: Redis may have lost the subscriptions. */
  reset(): void {
    this.#subscribedSince.clear();
    this.#pending = new Set(this.#viewerCounts.keys());
  }

  /** The version after which all events of the interest arrive; infinite if a name is not confirmed. */
  since(interest: Interest): number {
    let since = 0;
    forEachName(interest, (name) => {
      since = Math.max(since, this.#subscribedSince.get(name) ?? Number.POSITIVE_INFINITY);
    });
    return since;
  }
}

/** A callback, because this runs per contact of each new connection, and a generator costs twice as much. */
function forEachName({ contacts, everyone, guests }: Interest, visit: (name: Name) => void): void {
  // EVERYONE includes the contacts, which may be thousands of names.
  if (everyone) visit(EVERYONE);
  else contacts.forEach(visit);
  if (guests) visit(GUESTS);
}
