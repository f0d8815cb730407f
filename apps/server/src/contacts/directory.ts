import type { ClientId, Profile } from "@presence/protocol";
import type { ContactList } from "./can-see.ts";
import { ContactSet, IdPool } from "./contact-set.ts";
import type { ContactDocument, ContactStore } from "./contact-store.ts";

/** A document has more contacts than `MAX_CONTACTS`. The message states the limit. */
export class LongContactListError extends Error {
  constructor(maxContacts: number) {
    super(`This contact list is too long. It may have at most ${maxContacts} contacts.`);
    this.name = "LongContactListError";
  }
}

/** Profiles and contact lists. Guests exist in demo mode only. */
export class Directory {
  readonly #store: ContactStore;
  readonly #admitsGuests: boolean;
  readonly #maxContacts: number;
  readonly #pool = new IdPool();

  /** @param options `maxContacts`: the maximum in one document */
  constructor(store: ContactStore, { admitsGuests, maxContacts }: { admitsGuests: boolean; maxContacts: number }) {
    this.#store = store;
    this.#admitsGuests = admitsGuests;
    this.#maxContacts = maxContacts;
  }

  /** @throws {LongContactListError} if the document has more than `maxContacts` contacts */
  async contactListOf(client: ClientId): Promise<ContactList> {
    const owner = this.#pool.get(client);
    const document = await this.#store.find(owner);
    if (document && document.contacts.length > this.#maxContacts) throw new LongContactListError(this.#maxContacts);
    const guests = this.#admitsGuests;
    if (document) return { owner, contacts: this.#listWithout(owner, document.contacts), everyone: false, guests };
    if (!guests) return { owner, contacts: new Set(), everyone: false, guests };
    const everyone = await this.#store.list();
    return { owner, contacts: new Set(everyone.map(({ id }) => id)), everyone: true, guests };
  }

  /** A profile for each of `clients`. Without a document, it is derived from the id. */
  async profilesOf(clients: ReadonlySet<ClientId>): Promise<Map<ClientId, Profile>> {
    const documents = await this.#store.findMany(clients);
    const profiles = new Map(documents.map((document) => [document.id, profileOf(document)]));
    for (const client of clients) if (!profiles.has(client)) profiles.set(client, this.#profileWithoutDocument(client));
    return profiles;
  }

  /** The profiles of all clients with a document. */
  async people(): Promise<Profile[]> {
    return (await this.#store.list()).map(profileOf);
  }

  #listWithout(owner: ClientId, contacts: readonly ClientId[]): ContactSet {
    const others = contacts.filter((contact) => contact !== owner);
    return new ContactSet(others, this.#pool);
  }

  #profileWithoutDocument(client: ClientId): Profile {
    return this.#admitsGuests ? { id: client, name: nameFromId(client), guest: true } : { id: client, name: client };
  }
}

function profileOf({ id, name, role, timeZone }: ContactDocument): Profile {
  return { id, name, ...(role !== undefined && { role }), ...(timeZone !== undefined && { timeZone }) };
}

/** A guest's name: `zoe-smith` → `Zoe Smith`. */
function nameFromId(id: ClientId): string {
  const words = id.split(/[._~-]+/).filter((word) => word !== "");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" ") || id;
}
