import { type ClientId, partitionOf } from "@presence/protocol";
import type { ContactDocument, ContactStore } from "./contact-store.ts";
import type { RedisContactStore } from "./redis-contact-store.ts";

/**
 * Contact documents in a cluster. Each is in the partition of its client's presence, where the presence platform checks
 * whether the client is a guest.
 */
export class PartitionedContactStore implements ContactStore {
  readonly #parts: readonly RedisContactStore[];

  /** @param parts one store per partition, in the order of the partitions */
  constructor(parts: readonly RedisContactStore[]) {
    this.#parts = parts;
  }

  /** Like `RedisContactStore.seed`, in each partition. */
  async seed(documents: readonly ContactDocument[]): Promise<void> {
    const parts = this.#split(documents, ({ id }) => id);
    await Promise.all(this.#parts.map((part, index) => part.seed(parts[index] ?? [])));
  }

  async find(id: ClientId): Promise<ContactDocument | undefined> {
    return await this.#parts[partitionOf(id, this.#parts.length)]?.find(id);
  }

  async findMany(ids: Iterable<ClientId>): Promise<ContactDocument[]> {
    const parts = this.#split([...ids], (id) => id);
    const found = await Promise.all(this.#parts.map((part, index) => part.findMany(parts[index] ?? [])));
    return found.flat();
  }

  async list(): Promise<ContactDocument[]> {
    const documents = await Promise.all(this.#parts.map((part) => part.list()));
    return documents.flat().sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  #split<Item>(items: readonly Item[], idOf: (item: Item) => ClientId): Item[][] {
    const parts = this.#parts.map((): Item[] => []);
    for (const item of items) parts[partitionOf(idOf(item), parts.length)]?.push(item);
    return parts;
  }
}
