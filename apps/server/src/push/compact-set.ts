/** From so many members on, finding one in a row would take too long. */
const MAX_IN_A_ROW = 128;
/** Of so few, a row is copied for each one more, and has no room to spare. */
const FEW = 16;

/**
 * A set that is mostly small, of which there are very many: a row of its members, in a quarter of the memory, until it is
 * large. In no particular order.
 */
export class CompactSet<Member> implements Iterable<Member> {
  #members: Member[] | Set<Member>;

  constructor(...members: Member[]) {
    this.#members = members;
  }

  get size(): number {
    return Array.isArray(this.#members) ? this.#members.length : this.#members.size;
  }

  /** @param member one that isn't in it */
  add(member: Member): void {
    if (!Array.isArray(this.#members)) this.#members.add(member);
    // A push leaves room for half as many again and 16 more: too much for the few, and little for the many.
    else if (this.#members.length < FEW) this.#members = this.#members.concat([member]);
    else if (this.#members.length < MAX_IN_A_ROW) this.#members.push(member);
    else this.#members = new Set([...this.#members, member]);
  }

  /** @param member one that is in it */
  delete(member: Member): void {
    if (!Array.isArray(this.#members)) {
      this.#members.delete(member);
      return;
    }
    const last = this.#members.pop() as Member;
    // The last one takes the place of who leaves.
    if (last !== member) this.#members[this.#members.indexOf(member)] = last;
  }

  /** @param visit must not change the group */
  forEach(visit: (member: Member) => void): void {
    this.#members.forEach(visit);
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#members.values();
  }
}
