import { EVERYONE, GUESTS } from "@presence/gears";
import type { Interest } from "../presence-platform.ts";

/** A name that is watched: a client's id, `EVERYONE` or `GUESTS`. */
type Watched = string;

/**
 * Whom this server's viewers watch, and since when the platform tells this server of them. Pure: what is to be said to
 * Redis is taken out by `takePending` and `takeUnused`.
 */
export class InterestLedger {
  readonly #viewers = new Map<Watched, number>();
  /** Watched names that were said, by the version from which on this server is told of them. */
  readonly #since = new Map<Watched, number>();
  #pending = new Set<Watched>();

  add(interest: Interest): void {
    forEachName(interest, (name) => {
      this.#viewers.set(name, (this.#viewers.get(name) ?? 0) + 1);
      if (!this.#since.has(name)) this.#pending.add(name);
    });
  }

  remove(interest: Interest): void {
    forEachName(interest, (name) => {
      const left = (this.#viewers.get(name) ?? 0) - 1;
      if (left > 0) this.#viewers.set(name, left);
      else {
        this.#viewers.delete(name);
        this.#pending.delete(name);
      }
    });
  }

  /** Whether there are names that have yet to be said. */
  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /** Names that have yet to be said. They count as said: `fail` takes that back. */
  takePending(): Watched[] {
    const names = [...this.#pending];
    this.#pending = new Set();
    return names;
  }

  /** The names are being told of from `version` on. */
  confirm(names: readonly Watched[], version: number): void {
    for (const name of names) this.#since.set(name, version);
  }

  /** The names could not be said. */
  fail(names: readonly Watched[]): void {
    for (const name of names) if (this.#viewers.has(name)) this.#pending.add(name);
  }

  /** Names that nobody watches any longer; they no longer count as said. */
  takeUnused(): Watched[] {
    const idle = [...this.#since.keys()].filter((name) => !this.#viewers.has(name));
    for (const name of idle) this.#since.delete(name);
    return idle;
  }

  /** Nothing counts as said any longer: all of it has to be said again. */
  restart(): void {
    this.#since.clear();
    this.#pending = new Set(this.#viewers.keys());
  }

  /** Infinite where one of the names has yet to be confirmed. */
  since(interest: Interest): number {
    let since = 0;
    forEachName(interest, (name) => {
      since = Math.max(since, this.#since.get(name) ?? Number.POSITIVE_INFINITY);
    });
    return since;
  }
}

/** A callback, as this is done for each contact of whoever arrives, and a generator is twice as dear. */
function forEachName({ contacts, everyone, guests }: Interest, visit: (name: Watched) => void): void {
  // Who watches everyone need not say whom else, which would be thousands of names.
  if (everyone) visit(EVERYONE);
  else contacts.forEach(visit);
  if (guests) visit(GUESTS);
}
