import type { ClientId } from "@presence/protocol";
import type { ContactDocument, ContactStore } from "./contact-store.ts";

/** Contact documents in the memory of the process. */
export class MemoryContactStore implements ContactStore {
  readonly #documents: ReadonlyMap<ClientId, ContactDocument>;

  constructor(documents: readonly ContactDocument[]) {
    this.#documents = new Map(documents.map((document) => [document.id, document]));
  }

  find(id: ClientId): Promise<ContactDocument | undefined> {
    return Promise.resolve(this.#documents.get(id));
  }

  findMany(ids: Iterable<ClientId>): Promise<ContactDocument[]> {
    return Promise.resolve(Array.from(ids, (id) => this.#documents.get(id)).filter((found) => found !== undefined));
  }

  list(): Promise<ContactDocument[]> {
    return Promise.resolve([...this.#documents.values()]);
  }

  /** Whether `id` has a document. */
  has(id: ClientId): boolean {
    return this.#documents.has(id);
  }
}
