/** The Redis keys of the contract: any program may read and write them. In a cluster, a partition's prefix precedes them. */

/** Stream: the heartbeats of all servers. */
export const HEARTBEAT_KEY = "heartbeat";

/** String: the id of the server that holds the client's lease. The key expires when the lease ends. */
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
