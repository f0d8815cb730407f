/** Request and response bodies of the HTTP API, except those of the stream. */
import type { ClientId } from "./client-id.ts";
import type { Presence } from "./presence.ts";
import type { Profile } from "./profile.ts";

/** `POST /api/sessions`. */
export interface SessionResponse {
  token: string;
  client: ClientId;
  /** When the token expires, ms since the epoch. */
  expiresAt: number;
}

/** `GET /api/contacts`. */
export interface ContactsResponse {
  client: ClientId;
  profile: Profile;
  /** When presence was read, ms since the epoch. */
  at: number;
  contacts: Contact[];
}

export interface Contact extends Presence {
  profile: Profile;
}

/** `GET /api/people`, in demo mode only: the accounts that a user can sign in to. */
export interface PeopleResponse {
  people: Profile[];
}

/** `POST /api/events/pings`: the browser of this connection is alive. */
export interface PingRequest {
  connection: string;
}
