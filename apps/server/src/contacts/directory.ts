import type { ClientId, Profile } from "@presence/protocol";
import type { Watch } from "../presence/presence-platform.ts";
import { ContactSet, IdPool } from "./contact-set.ts";
import type { ContactDocument, ContactStore } from "./contact-store.ts";

/** Whose presence one client sees; never the owner's. A guest's list names all who have a document. */
export interface ContactList extends Watch {
  owner: ClientId;
}

/** A document names more contacts than one may have; the message says how many that is. */
export class LongContactListError extends Error {
  constructor(maxContacts: number) {
    super(`This contact list is too long. It may have at most ${maxContacts} contacts.`);
    this.name = "LongContactListError";
  }
}

/** Who people are, and who sees whom. Guests exist in demo mode only. */
export class Directory {
  readonly #store: ContactStore;
  readonly #admitsGuests: boolean;
  readonly #maxContacts: number;
  readonly #pool = new IdPool();

  /** @param options `maxContacts`: how many may be in one document */
  constructor(store: ContactStore, { admitsGuests, maxContacts }: { admitsGuests: boolean; maxContacts: number }) {
    this.#store = store;
    this.#admitsGuests = admitsGuests;
    this.#maxContacts = maxContacts;
  }

  /** @throws {LongContactListError} where the owner's document names more contacts than one may have */
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

  /** A profile for each client asked for: one without a document is known by the id alone. */
  async profilesOf(clients: ReadonlySet<ClientId>): Promise<Map<ClientId, Profile>> {
    const documents = await this.#store.findMany(clients);
    const profiles = new Map(documents.map((document) => [document.id, profileOf(document)]));
    for (const client of clients) if (!profiles.has(client)) profiles.set(client, this.#undocumented(client));
    return profiles;
  }

  /** The profiles of all who have a document. */
  async people(): Promise<Profile[]> {
    return (await this.#store.list()).map(profileOf);
  }

  #listWithout(owner: ClientId, contacts: readonly ClientId[]): ContactSet {
    const others = contacts.filter((contact) => contact !== owner);
    return new ContactSet(others, this.#pool);
  }

  #undocumented(client: ClientId): Profile {
    return this.#admitsGuests ? { id: client, name: nameFromId(client), guest: true } : { id: client, name: client };
  }
}

function profileOf({ id, name, role, timeZone }: ContactDocument): Profile {
  return { id, name, ...(role !== undefined && { role }), ...(timeZone !== undefined && { timeZone }) };
}

/** `zoe-smith` → `Zoe Smith`: a guest has no other name than the id. */
function nameFromId(id: ClientId): string {
  const words = id.split(/[._~-]+/).filter((word) => word !== "");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" ") || id;
}
