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
import { inChunks, listOf, numberOf, type Redis, textOf, valuesOf } from "./redis.ts";

/** How many interest entries of a lost server one call removes. Redis serves no other client during a call. */
const MAX_REMOVED_PER_CALL = 1000;

/** With more servers than this, reading the watchers of each client is faster than asking each server. */
const MAX_SERVERS_QUERIED = 16;
/** For a single client, reading its watchers is always faster. */
const MIN_CLIENTS_FOR_SERVER_QUERY = 2;

/** Adds clients, `EVERYONE` or `GUESTS` to what `server` watches. */
export function watch(redis: Redis, server: string, watched: readonly string[]): void {
  for (const each of watched) redis.call("SADD", watchersKey(each), server);
  inChunks(watched, (chunk) => redis.call("SADD", interestKey(server), ...chunk));
}

export function unwatch(redis: Redis, server: string, watched: readonly string[]): void {
  for (const each of watched) redis.call("SREM", watchersKey(each), server);
  inChunks(watched, (chunk) => redis.call("SREM", interestKey(server), ...chunk));
}

/** The servers that may watch the clients of one `announce` call. */
export interface Audience {
  /** The clients that change. */
  clients: readonly string[];
  /** Which of the clients each server watches. `undefined` if it is faster to read the watchers of each client. */
  interests: readonly Interest[] | undefined;
  everyoneWatchers: readonly string[];
  guestWatchers: readonly string[];
  /** Servers whose interest is defined by their clients' contact lists. */
  externalServers: readonly string[];
}

interface Interest {
  server: string;
  /** For each client, in order: 1 if the server watches it, else 0. */
  replies: readonly unknown[];
}

/** @param hasGuests whether to read the watchers of guests */
export function readAudience(redis: Redis, clients: readonly string[], hasGuests: boolean): Audience {
  return {
    clients,
    interests: readInterests(redis, clients),
    everyoneWatchers: membersOf(redis, watchersKey(EVERYONE)),
    guestWatchers: hasGuests ? membersOf(redis, watchersKey(GUESTS)) : [],
    externalServers: membersOf(redis, EXTERNAL_SERVERS_KEY),
  };
}

/** The servers that watch the client at `index` of the audience's clients. */
export function watchersOf(redis: Redis, audience: Audience, index: number, isGuest: boolean): string[] {
  const client = audience.clients[index] ?? "";
  const servers =
    audience.interests === undefined ? membersOf(redis, watchersKey(client)) : interestedIn(audience.interests, index);
  for (const server of audience.everyoneWatchers) addTo(servers, server);
  if (isGuest) for (const server of audience.guestWatchers) addTo(servers, server);
  for (const server of audience.externalServers) {
    if (isListedAt(redis, server, client, isGuest)) addTo(servers, server);
  }
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

/** If there are fewer servers than clients: asks each server about all clients, with one call per server. */
function readInterests(redis: Redis, clients: readonly string[]): readonly Interest[] | undefined {
  const maxServers = Math.min(clients.length, MAX_SERVERS_QUERIED);
  if (maxServers < MIN_CLIENTS_FOR_SERVER_QUERY) return undefined;
  // `read` adds every server that watches clients to this set.
  const servers: string[] = [];
  for (const server of listOf(redis.call("ZRANGE", SERVERS_KEY, "0", String(maxServers)))) servers.push(server);
  if (servers.length > maxServers) return undefined;
  return servers.map((server) => {
    const replies: unknown[] = [];
    inChunks(clients, (chunk) => {
      const chunkReplies = valuesOf(redis.call("SMISMEMBER", interestKey(server), ...chunk));
      for (let index = 0; index < chunk.length; index += 1) replies.push(chunkReplies[index]);
    });
    return { server, replies };
  });
}

function membersOf(redis: Redis, key: string): string[] {
  const members: string[] = [];
  for (const member of listOf(redis.call("SMEMBERS", key))) members.push(member);
  return members;
}

/** Adds the contact list of a client of an external server to what that server watches. */
export function addList(redis: Redis, server: string, client: string): void {
  const contacts = readContacts(redis, client);
  if (numberOf(redis.call("HSETNX", listsKey(server), client, contacts.join(" "))) === 0) return;
  for (const contact of contacts) redis.call("HINCRBY", listedKey(server), contact, "1");
}

/** Removes the contact list of an offline client from all external servers. */
export function removeLists(redis: Redis, externalServers: readonly string[], client: string): void {
  for (const server of externalServers) {
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
 * Removes the state of a server, or as much of it as one call may.
 *
 * @returns whether all of it is removed
 */
export function forget(redis: Redis, server: string): boolean {
  redis.call("ZREM", SERVERS_KEY, server);
  redis.call("SREM", EXTERNAL_SERVERS_KEY, server);
  redis.call("DEL", downstreamKey(server), listsKey(server), listedKey(server));
  redis.call("HDEL", SEQUENCES_KEY, server);
  let count = 0;
  for (const watched of listOf(redis.call("SPOP", interestKey(server), String(MAX_REMOVED_PER_CALL)))) {
    redis.call("SREM", watchersKey(watched), server);
    count += 1;
  }
  const areDissolved = dissolveBatchesOf(redis, server);
  if (count < MAX_REMOVED_PER_CALL && areDissolved) return true;
  // Add it again with the oldest time, so that the next sweep continues with it.
  redis.call("ZADD", SERVERS_KEY, "0", server);
  return false;
}

/** Whether a client of this external server may see `client`. Guests see everyone and are seen by everyone. */
function isListedAt(redis: Redis, server: string, client: string, asGuest: boolean): boolean {
  if (asGuest) return numberOf(redis.call("EXISTS", listsKey(server))) === 1;
  if (numberOf(redis.call("HEXISTS", listedKey(server), client)) === 1) return true;
  return numberOf(redis.call("HEXISTS", listedKey(server), EVERYONE)) === 1;
}

function readContacts(redis: Redis, client: string): string[] {
  const text =
    textOf(redis.attempt("GET", contactKey(client))) ?? textOf(redis.attempt("JSON.GET", contactKey(client)));
  return text === undefined ? [EVERYONE] : redis.contactsIn(text).filter((contact) => redis.isLegalId(contact));
}

function decrement(redis: Redis, key: string, field: string): void {
  if (numberOf(redis.call("HINCRBY", key, field, "-1")) <= 0) redis.call("HDEL", key, field);
}
