import {
  contactKey,
  downstreamKey,
  EVERYONE,
  GUESTS,
  interestKey,
  listedKey,
  listsKey,
  PLAIN_SERVERS_KEY,
  SEQUENCES_KEY,
  SERVERS_KEY,
  watchersKey,
} from "../../../packages/protocol/src/redis-keys.ts";
import { dissolveBatchesOf } from "./deadlines.ts";
import { inParts, listOf, numberOf, type Redis, textOf } from "./redis.ts";

/** How much of a lost server's interest one call takes away: Redis serves nobody else meanwhile. */
const FORGOTTEN_AT_ONCE = 1000;

/** From now on `server` is told of these: clients, `EVERYONE` or `GUESTS`. */
export function watch(redis: Redis, server: string, watched: readonly string[]): void {
  for (const each of watched) redis.call("SADD", watchersKey(each), server);
  inParts(watched, (part) => redis.call("SADD", interestKey(server), ...part));
}

export function unwatch(redis: Redis, server: string, watched: readonly string[]): void {
  for (const each of watched) redis.call("SREM", watchersKey(each), server);
  inParts(watched, (part) => redis.call("SREM", interestKey(server), ...part));
}

/** The servers that may have to be told of any client: the same for all that happens in one moment. */
export interface Audience {
  ofEveryone: readonly string[];
  ofGuests: readonly string[];
  /** Those whose interest follows from their clients' lists. */
  plain: readonly string[];
}

/** @param hasGuests whether one needs to know who watches guests */
export function readAudience(redis: Redis, hasGuests: boolean): Audience {
  return {
    ofEveryone: membersOf(redis, watchersKey(EVERYONE)),
    ofGuests: hasGuests ? membersOf(redis, watchersKey(GUESTS)) : [],
    plain: membersOf(redis, PLAIN_SERVERS_KEY),
  };
}

/** The servers that someone watches `client` from. */
export function watchersOf(redis: Redis, audience: Audience, client: string, isGuest: boolean): string[] {
  const servers = membersOf(redis, watchersKey(client));
  const add = (server: string) => {
    if (!servers.includes(server)) servers.push(server);
  };
  for (const server of audience.ofEveryone) add(server);
  if (isGuest) for (const server of audience.ofGuests) add(server);
  for (const server of audience.plain) if (isListedAt(redis, server, client, isGuest)) add(server);
  return servers;
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

export function isPlain(redis: Redis, server: string): boolean {
  return numberOf(redis.call("SISMEMBER", PLAIN_SERVERS_KEY, server)) === 1;
}

/**
 * Takes away what is kept for a server, or as much of it as one call may.
 *
 * @returns whether nothing is left
 */
export function forget(redis: Redis, server: string): boolean {
  redis.call("ZREM", SERVERS_KEY, server);
  redis.call("SREM", PLAIN_SERVERS_KEY, server);
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
