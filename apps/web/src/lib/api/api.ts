/**
 * The server's HTTP API, except the event stream.
 *
 * Each call throws a `ProblemError` for an error response, and a `TypeError` or `TimeoutError` if the server can't be
 * reached.
 */
import type { ClientId, ContactsResponse, PeopleResponse, Profile, SessionResponse } from "@presence/protocol";
import { problemErrorOf } from "./problem-error.ts";

const TIMEOUT_MS = 10_000;

/** `fetch` or a wrapper around it. */
export type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/** The people to sign in as in demo mode; `undefined` if the server requires an issuer's tokens. */
export async function fetchPeople(signal: AbortSignal): Promise<Profile[] | undefined> {
  const response = await fetch("/api/people", { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  if (response.status === 404) return undefined;
  const { people }: PeopleResponse = await readJson(response);
  return people;
}

/** The profiles of a client and its contacts. Their presence comes from the event stream only. */
export interface ContactList {
  me: Profile;
  contacts: Profile[];
}

/** The caller's contacts. */
export async function fetchContacts(token: string, signal: AbortSignal): Promise<ContactList> {
  const response = await fetch("/api/contacts", {
    headers: bearer(token),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const { profile, contacts }: ContactsResponse = await readJson(response);
  return { me: profile, contacts: contacts.map((contact) => contact.profile) };
}

/** Creates a session for `client`. Works in demo mode only. */
export async function createSession(send: Fetch, client: ClientId): Promise<SessionResponse> {
  const response = await send("/api/sessions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return readJson(response);
}

/** Signs out: the server revokes the token and closes every connection opened with it. */
export async function deleteSession(send: Fetch, token: string): Promise<void> {
  const response = await send("/api/sessions/current", {
    method: "DELETE",
    headers: bearer(token),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw await problemErrorOf(response);
}

/** Tells the server that the browser behind `connection` is still running. */
export async function ping(send: Fetch, connection: string, token: string, timeoutMs: number): Promise<void> {
  const response = await send("/api/events/pings", {
    method: "POST",
    headers: { ...bearer(token), "Content-Type": "application/json" },
    body: JSON.stringify({ connection }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw await problemErrorOf(response);
}

function bearer(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` };
}

async function readJson<Body>(response: Response): Promise<Body> {
  if (!response.ok) throw await problemErrorOf(response);
  return response.json();
}
