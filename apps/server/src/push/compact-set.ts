/** Above this size a linear search would be too slow, so a `Set` is used. */
const MAX_ARRAY_SIZE = 128;
/** Below this size an array is copied for each new member, so that it has no spare capacity. */
const COPY_SIZE = 16;

/**
 * A set for the case of very many, mostly small sets. It is an array, with a quarter of the memory of a `Set`, until it
 * becomes large. Unordered.
 */
export class CompactSet<Member> implements Iterable<Member> {
  #members: Member[] | Set<Member>;

  constructor(...members: Member[]) {
    this.#members = members;
  }

  get size(): number {
    return Array.isArray(this.#members) ? this.#members.length : this.#members.size;
  }

  /** @param member must not be in the set */
  add(member: Member): void {
    if (!Array.isArray(this.#members)) this.#members.add(member);
    // `push` reserves capacity for half as many again plus 16: too much for a small array.
    else if (this.#members.length < COPY_SIZE) this.#members = this.#members.concat([member]);
    else if (this.#members.length < MAX_ARRAY_SIZE) this.#members.push(member);
    else this.#members = new Set([...this.#members, member]);
  }

  /** @param member must be in the set */
  delete(member: Member): void {
    if (!Array.isArray(this.#members)) {
      this.#members.delete(member);
      return;
    }
    const last = this.#members.pop() as Member;
    // Moves the last member to the free place.
    if (last !== member) this.#members[this.#members.indexOf(member)] = last;
  }

  /** @param visit must not change the set */
  forEach(visit: (member: Member) => void): void {
    this.#members.forEach(visit);
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#members.values();
  }
}
