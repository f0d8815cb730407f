/**
 * The Redis keys that only the platform uses. All begin with `presence:`; no server id or client id contains a colon.
 * In a cluster, a partition's prefix precedes each key, except `PARTITIONS_KEY`.
 */

/** Sorted set: batches and single clients, scored by the time of the next lease check in ms since the epoch. */
export const DEADLINES_KEY = "presence:deadlines";

/** Hash: batch name → the number of clients in the batch, then their ids, for example `2 anouk omar`. */
export function batchesKey(server: string): string {
  return `presence:batches:${server}`;
}

/** Set: batches of this server from which a client was removed after the batch was last written to `batchesKey`. */
export function changedBatchesKey(server: string): string {
  return `presence:changed-batches:${server}`;
}

/** Hash: client → the name of its batch, which is the server and the first client of the batch. */
export const BATCH_OF_KEY = "presence:batch-of";

/** Hash: client → its last change, as `status at version server previous`; `previous` is the version before it. */
export const RECORDS_KEY = "presence:records";

/**
 * Hash: state of the platform.
 *
 * `epoch`: the name of the current sequence of versions. `version`: the last version given out. `guestsLeft`: the version
 * of the last event with which a guest went offline. `clock`: the time of the last sweep in ms. `run`: the Redis run of
 * that sweep. `hold`: no lease ends before this time in ms.
 */
export const STATE_KEY = "presence:state";

/** Sorted set: servers, scored by the time at which each counts as lost, in ms since the epoch. */
export const SERVERS_KEY = "presence:servers";

/** Set: clients that are online and have no contact document. */
export const GUESTS_KEY = "presence:guests";

/** Hash: server → the number of the last event on its stream. A server that reads begins with the time in ms. */
export const SEQUENCES_KEY = "presence:sequences";

/** Set: external servers. They send heartbeats but do not announce interest; their clients' contact lists define it. */
export const EXTERNAL_SERVERS_KEY = "presence:plain-servers";

/** Set: servers that watch this client, `EVERYONE` or `GUESTS`. */
export function watchersKey(watched: string): string {
  return `presence:watchers:${watched}`;
}

/** Set: the clients that this server watches, and `EVERYONE` or `GUESTS`. */
export function interestKey(server: string): string {
  return `presence:interest:${server}`;
}

/** Sorted set: the servers of a client that is connected to several, scored by the end of each server's lease in ms. */
export function holdersKey(client: string): string {
  return `presence:homes:${client}`;
}

/** Hash: client of this external server → its contact list when it connected, separated by spaces. */
export function listsKey(server: string): string {
  return `presence:lists:${server}`;
}

/** Hash: contact → how many clients of this external server list it. */
export function listedKey(server: string): string {
  return `presence:listed:${server}`;
}

/**
 * Never written. In a cluster, each function call names this key. While the slot migrates to another primary, Redis
 * rejects the whole call, because the key does not exist and may be on either primary.
 */
export const GATE_KEY = "presence:gate";

/** String: the number of partitions of a cluster. The key belongs to no partition. */
export const PARTITIONS_KEY = "presence:partitions";

/** Watched in place of a client id: all clients. */
export const EVERYONE = "*";

/** Watched in place of a client id: all guests. */
export const GUESTS = "?";
