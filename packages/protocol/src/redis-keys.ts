/**
 * Every key in Redis. The first four kinds are part of the contract; all others begin with `presence:`, which no server
 * or client id can contain. In a cluster each key has its partition's hash tag before it.
 */

/** Stream: heartbeats of all servers. */
export const HEARTBEAT_KEY = "heartbeat";

/** String: the id of the client's server; expires with the lease. */
export const LEASE_KEY_PREFIX = "online.clients.";

export function leaseKey(client: string): string {
  return LEASE_KEY_PREFIX + client;
}

/** Stream: the presence events for one server. */
export function downstreamKey(server: string): string {
  return `presence.${server}`;
}

/** JSON document: a client's profile and contact list. */
export function contactKey(client: string): string {
  return `contact:${client}`;
}

/** Sorted set: batches of clients, and single clients, by when to look at their leases in ms. */
export const DEADLINES_KEY = "presence:deadlines";

/** Hash: for each batch of this server's clients how many it has, and these: `2 anouk omar`. */
export function batchesKey(server: string): string {
  return `presence:batches:${server}`;
}

/** Set: batches of this server that a client has been taken out of since they were listed. */
export function changedBatchesKey(server: string): string {
  return `presence:changed-batches:${server}`;
}

/** Hash: for each client of a batch the batch's name: its server, and the client that is listed first. */
export const BATCH_OF_KEY = "presence:batch-of";

/** Hash: for each client ever announced `status at version server`. */
export const RECORDS_KEY = "presence:records";

/** Hash: `epoch`, `version`, `guestsLeft`, `clock`, `run` and `hold` of the platform. */
export const STATE_KEY = "presence:state";

/** Sorted set: servers, by when they count as lost in ms. */
export const SERVERS_KEY = "presence:servers";

/** Set: clients online without a contact document. */
export const GUESTS_KEY = "presence:guests";

/** Hash: for each server how many events were put on its stream. */
export const SEQUENCES_KEY = "presence:sequences";

/** Set: servers that only send heartbeats and never said whom they watch: that follows from their clients' lists. */
export const EXTERNAL_SERVERS_KEY = "presence:plain-servers";

/** Set: servers that watch this client, or `EVERYONE` or `GUESTS`. */
export function watchersKey(watched: string): string {
  return `presence:watchers:${watched}`;
}

/** Set: whom this server watches. */
export function interestKey(server: string): string {
  return `presence:interest:${server}`;
}

/** Sorted set: the servers of a client that is connected to several, by the end of what each vouches for in ms. */
export function holdersKey(client: string): string {
  return `presence:homes:${client}`;
}

/** Hash: for each client of a plain server the contact list that counts there. */
export function listsKey(server: string): string {
  return `presence:lists:${server}`;
}

/** Hash: for each contact how many clients of a plain server list it. */
export function listedKey(server: string): string {
  return `presence:listed:${server}`;
}

/**
 * Never written: functions are called by it in a cluster. While the keys of its slot are on their way to another primary,
 * Redis refuses such a call whole, as there is no telling where this one is.
 */
export const GATE_KEY = "presence:gate";

/** String: how many partitions a cluster's keys are spread over; itself of none of them. */
export const PARTITIONS_KEY = "presence:partitions";

/** Watched in place of a client: everyone. */
export const EVERYONE = "*";

/** Watched in place of a client: whoever is a guest. */
export const GUESTS = "?";
