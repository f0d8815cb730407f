import type { ClientId } from "@presence/protocol";

/** A person's contact document: their profile, and whose presence they see. */
export interface ContactDocument {
  id: ClientId;
  name: string;
  role?: string;
  /** An IANA time zone. */
  timeZone?: string;
  contacts: ClientId[];
}

/** Where contact documents live. Each method throws a `PresenceUnavailableError` where they can't be had at the moment. */
export interface ContactStore {
  find(id: ClientId): Promise<ContactDocument | undefined>;

  /** The documents that exist among those asked for, in no particular order. */
  findMany(ids: Iterable<ClientId>): Promise<ContactDocument[]>;

  /** Everyone who has a document, in a stable order. */
  list(): Promise<ContactDocument[]>;
}
