import type { ClientId } from "@presence/protocol";

/**
 * The pool is cleared when it has this many ids, because clients of demo mode can make up any number of them. Ids that
 * are in use at that time are then stored twice. The pool needs some tens of megabytes at most.
 */
const MAX_POOLED = 200_000;

/** Interns ids: all contact lists share one string per id. */
export class IdPool {
  readonly #ids = new Map<ClientId, ClientId>();

  get(id: ClientId): ClientId {
    const known = this.#ids.get(id);
    if (known !== undefined) return known;
    if (this.#ids.size >= MAX_POOLED) this.#ids.clear();
    // Copy the id: a substring would keep the whole request in memory.
    const own = Buffer.from(id).toString();
    this.#ids.set(own, own);
    return own;
  }
}

/**
 * The contacts of one client, kept for each stream. It needs a third of the memory of a `Set`. Lookups are slower, but
 * rare.
 */
export class ContactSet implements ReadonlySet<ClientId> {
  /** Without duplicates. */
  readonly #ids: ClientId[];
  /** The ids are sorted at the first lookup. Most sets never have one. */
  #areSorted = false;

  constructor(ids: Iterable<ClientId>, pool: IdPool) {
    const pooled = Array.from(new Set(ids), (id) => pool.get(id));
    // The copy has no spare capacity.
    this.#ids = pooled.slice();
  }

  get size(): number {
    return this.#ids.length;
  }

  has(id: ClientId): boolean {
    if (!this.#areSorted) {
      this.#ids.sort();
      this.#areSorted = true;
    }
    let from = 0;
    let to = this.#ids.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#ids[middle] as ClientId) < id) from = middle + 1;
      else to = middle;
    }
    return this.#ids[from] === id;
  }

  forEach(callback: (id: ClientId, same: ClientId, set: ReadonlySet<ClientId>) => void): void {
    for (const id of this.#ids) callback(id, id, this);
  }

  *entries(): SetIterator<[ClientId, ClientId]> {
    for (const id of this.#ids) yield [id, id];
  }

  keys(): SetIterator<ClientId> {
    return this.values();
  }

  values(): SetIterator<ClientId> {
    return this.#ids.values();
  }

  [Symbol.iterator](): SetIterator<ClientId> {
    return this.values();
  }
}
