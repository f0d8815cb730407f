import type { ClientId } from "@presence/protocol";

/** A client's contact document: the profile and the contact list. */
export interface ContactDocument {
  id: ClientId;
  name: string;
  role?: string;
  /** An IANA time zone. */
  timeZone?: string;
  contacts: ClientId[];
}

/** Storage of contact documents. Each method throws a `PresenceUnavailableError` if the storage is unavailable. */
export interface ContactStore {
  find(id: ClientId): Promise<ContactDocument | undefined>;

  /** The documents that exist, in no particular order. */
  findMany(ids: Iterable<ClientId>): Promise<ContactDocument[]>;

  /** All documents, in a stable order. */
  list(): Promise<ContactDocument[]>;
}
