import type { ClientId } from "./client-id.ts";

/** What others may read about a person. */
export interface Profile {
  id: ClientId;
  name: string;
  role?: string;
  /** An IANA time zone, such as `Europe/Paris`. */
  timeZone?: string;
  /** Set for one who joined without a contact document: known only while online. */
  guest?: true;
}
