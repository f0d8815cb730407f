import { contactKey, downstreamKey } from "../../../packages/protocol/src/redis-keys.ts";
import { dissolveBatchesOf } from "./deadlines.ts";
import {
  EVERYONE,
  EXTERNAL_SERVERS_KEY,
  GUESTS,
  interestKey,
  listedKey,
  listsKey,
  SEQUENCES_KEY,
  SERVERS_KEY,
  watchersKey,
} from "./keys.ts";
import { inParts, listOf, numberOf, type Redis, textOf, valuesOf } from "./redis.ts";

/** How much of a lost server's interest one call takes away: Redis serves nobody else meanwhile. */
const FORGOTTEN_AT_ONCE = 1000;

/** Of more servers each client's watchers are asked for: asking each server of all clients would take longer. */
const MAX_SERVERS_ASKED = 16;
/** A client that is alone is asked for itself. */
const LEAST_CLIENTS_ASKED_OF = 2;

/** From now on `server` is told of these: clients, `EVERYONE` or `GUESTS`. */
export function watch(redis: Redis, server: string, watched: readonly string[]): void {
  for (const each of watched) redis.call("SADD", watchersKey(each), server);
  inParts(watched, (part) => redis.call("SADD", interestKey(server), ...part));
}

export function unwatch(redis: Redis, server: string, watched: readonly string[]): void {
  for (const each of watched) redis.call("SREM", watchersKey(each), server);
  inParts(watched, (part) => redis.call("SREM", interestKey(server), ...part));
}

/** Who may have to be told of what happens in one moment. */
export interface Audience {
  /** To whom it happens. */
  clients: readonly string[];
  /** For each server which of these it watches, where there are so few servers that each was asked of all. */
  interests: readonly Interest[] | undefined;
  ofEveryone: readonly string[];
  ofGuests: readonly string[];
  /** Those whose interest follows from their clients' lists. */
  plain: readonly string[];
}

interface Interest {
  server: string;
  /** For each of the clients, in their order, 1 or 0, in the reply of a call. */
  replies: readonly unknown[];
}

/** @param hasGuests whether one needs to know who watches guests */
export function readAudience(redis: Redis, clients: readonly string[], hasGuests: boolean): Audience {
  return {
    clients,
    interests: readInterests(redis, clients),
    ofEveryone: membersOf(redis, watchersKey(EVERYONE)),
    ofGuests: hasGuests ? membersOf(redis, watchersKey(GUESTS)) : [],
    plain: membersOf(redis, EXTERNAL_SERVERS_KEY),
  };
}

/** The servers that someone watches one of the audience's clients from. */
export function watchersOf(redis: Redis, audience: Audience, index: number, isGuest: boolean): string[] {
  const client = audience.clients[index] ?? "";
  const servers =
    audience.interests === undefined ? membersOf(redis, watchersKey(client)) : interestedIn(audience.interests, index);
  for (const server of audience.ofEveryone) addTo(servers, server);
  if (isGuest) for (const server of audience.ofGuests) addTo(servers, server);
  for (const server of audience.plain) if (isListedAt(redis, server, client, isGuest)) addTo(servers, server);
  return servers;
}

function addTo(servers: string[], server: string): void {
  if (!servers.includes(server)) servers.push(server);
}

function interestedIn(interests: readonly Interest[], index: number): string[] {
  const servers: string[] = [];
  for (const { server, replies } of interests) if (numberOf(replies[index]) === 1) servers.push(server);
  return servers;
}

/** One call for each server in place of one for each client, where servers are fewer. */
function readInterests(redis: Redis, clients: readonly string[]): readonly Interest[] | undefined {
  const mostServers = Math.min(clients.length, MAX_SERVERS_ASKED);
  if (mostServers < LEAST_CLIENTS_ASKED_OF) return undefined;
  // Whoever watches somebody is among these: see `read`.
  const servers: string[] = [];
  for (const server of listOf(redis.call("ZRANGE", SERVERS_KEY, "0", String(mostServers)))) servers.push(server);
  if (servers.length > mostServers) return undefined;
  return servers.map((server) => {
    const replies: unknown[] = [];
    inParts(clients, (part) => {
      const partReplies = valuesOf(redis.call("SMISMEMBER", interestKey(server), ...part));
      for (let index = 0; index < part.length; index += 1) replies.push(partReplies[index]);
    });
    return { server, replies };
  });
}

function membersOf(redis: Redis, key: string): string[] {
  const members: string[] = [];
  for (const member of listOf(redis.call("SMEMBERS", key))) members.push(member);
  return members;
}

/**
 * Counts the contact list of a client that came to a plain server: one that only sends heartbeats, and never says whom
 * it watches.
 */
export function addList(redis: Redis, server: string, client: string): void {
  const contacts = readContacts(redis, client);
  if (numberOf(redis.call("HSETNX", listsKey(server), client, contacts.join(" "))) === 0) return;
  for (const contact of contacts) redis.call("HINCRBY", listedKey(server), contact, "1");
}

/** Takes the contact list of a client that has gone offline away from all plain servers. */
export function removeLists(redis: Redis, plainServers: readonly string[], client: string): void {
  for (const server of plainServers) {
    const contacts = textOf(redis.call("HGET", listsKey(server), client));
    if (contacts !== undefined) {
      redis.call("HDEL", listsKey(server), client);
      if (contacts !== "") for (const contact of contacts.split(" ")) decrement(redis, listedKey(server), contact);
    }
  }
}

export function isExternalServer(redis: Redis, server: string): boolean {
  return numberOf(redis.call("SISMEMBER", EXTERNAL_SERVERS_KEY, server)) === 1;
}

/**
 * Takes away what is kept for a server, or as much of it as one call may.
 *
 * @returns whether nothing is left
 */
export function forget(redis: Redis, server: string): boolean {
  redis.call("ZREM", SERVERS_KEY, server);
  redis.call("SREM", EXTERNAL_SERVERS_KEY, server);
  redis.call("DEL", downstreamKey(server), listsKey(server), listedKey(server));
  redis.call("HDEL", SEQUENCES_KEY, server);
  let count = 0;
  for (const watched of listOf(redis.call("SPOP", interestKey(server), String(FORGOTTEN_AT_ONCE)))) {
    redis.call("SREM", watchersKey(watched), server);
    count += 1;
  }
  const areDissolved = dissolveBatchesOf(redis, server);
  if (count < FORGOTTEN_AT_ONCE && areDissolved) return true;
  // Listed once more, as one that is long gone, so that the next sweep goes on here.
  redis.call("ZADD", SERVERS_KEY, "0", server);
  return false;
}

/** A guest sees everyone, and so does a client that is listed as seeing everyone. */
function isListedAt(redis: Redis, server: string, client: string, asGuest: boolean): boolean {
  if (asGuest) return numberOf(redis.call("EXISTS", listsKey(server))) === 1;
  if (numberOf(redis.call("HEXISTS", listedKey(server), client)) === 1) return true;
  return numberOf(redis.call("HEXISTS", listedKey(server), EVERYONE)) === 1;
}

function readContacts(redis: Redis, client: string): string[] {
  const plain = redis.attempt("GET", contactKey(client));
  const text = textOf(plain) ?? textOf(redis.attempt("JSON.GET", contactKey(client)));
  return text === undefined ? [EVERYONE] : redis.contactsIn(text).filter((contact) => redis.isLegalId(contact));
}

function decrement(redis: Redis, key: string, field: string): void {
  if (numberOf(redis.call("HINCRBY", key, field, "-1")) <= 0) redis.call("HDEL", key, field);
}
