import type { ClientId } from "./client-id.ts";

/** The public profile of a client. */
export interface Profile {
  id: ClientId;
  name: string;
  role?: string;
  /** An IANA time zone, such as `Europe/Paris`. */
  timeZone?: string;
  /** Set for a client without a contact document, which is known only while it is online. */
  guest?: true;
}
