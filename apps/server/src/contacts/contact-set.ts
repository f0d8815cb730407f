import type { ClientId } from "@presence/protocol";

/**
 * Past so many ids, which strangers may have made up, the pool begins anew: those in use then are merely kept twice. Some
 * tens of megabytes.
 */
const MAX_POOLED = 200_000;

/**
 * One string for each id, however often it was read: a thousand lists that name somebody share the name.
 */
export class IdPool {
  readonly #ids = new Map<ClientId, ClientId>();

  get(id: ClientId): ClientId {
    const known = this.#ids.get(id);
    if (known !== undefined) return known;
    if (this.#ids.size >= MAX_POOLED) this.#ids.clear();
    // Cut out of a request, it would hold on to all of that.
    const own = Buffer.from(id).toString();
    this.#ids.set(own, own);
    return own;
  }
}

/**
 * Contacts of one client, as every stream holds them: a third of what a `Set` of them weighs, and rarely asked whether it
 * has somebody.
 */
export class ContactSet implements ReadonlySet<ClientId> {
  /** Each once. */
  readonly #ids: ClientId[];
  /** They are sorted when it is first asked whether it has somebody, which most never are. */
  #areSorted = false;

  constructor(ids: Iterable<ClientId>, pool: IdPool) {
    const pooled = Array.from(new Set(ids), (id) => pool.get(id));
    // Without the room for more in which it has grown.
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
