import type { ClientId } from "@presence/protocol";
import type { Connection } from "./connection.ts";

/**
 * The local push registry: which connections a client has here, and which connections watch a contact.
 *
 * An event costs what its watchers cost, however many connections there are besides.
 */
export class PushRegistry {
  readonly #connections = new Set<Connection>();
  readonly #byClient = new Map<ClientId, Set<Connection>>();
  readonly #watchersByContact = new Map<ClientId, Set<Connection>>();
  /** Connections of guests, who watch everyone: indexing each under each contact would cost people × guests. */
  readonly #watchersOfAll = new Set<Connection>();

  get connectionCount(): number {
    return this.#connections.size;
  }

  get clientCount(): number {
    return this.#byClient.size;
  }

  connections(): Iterable<Connection> {
    return this.#connections;
  }

  connectionsOf(client: ClientId): ReadonlySet<Connection> {
    return this.#byClient.get(client) ?? NO_CONNECTIONS;
  }

  add(connection: Connection): void {
    const { client, list } = connection.subscription;
    this.#connections.add(connection);
    addTo(this.#byClient, client, connection);
    if (list.everyone) this.#watchersOfAll.add(connection);
    else for (const contact of list.contacts) addTo(this.#watchersByContact, contact, connection);
  }

  remove(connection: Connection): void {
    const { client, list } = connection.subscription;
    this.#connections.delete(connection);
    removeFrom(this.#byClient, client, connection);
    if (list.everyone) this.#watchersOfAll.delete(connection);
    else for (const contact of list.contacts) removeFrom(this.#watchersByContact, contact, connection);
  }

  /** Who may see `client`, but never `client` itself. Everyone may see a guest. */
  *watchersOf(client: ClientId, { isGuest }: { isGuest: boolean }): Generator<Connection> {
    const groups = isGuest ? [this.#connections] : [this.#watchersByContact.get(client) ?? [], this.#watchersOfAll];
    for (const group of groups) {
      for (const connection of group) if (connection.subscription.client !== client) yield connection;
    }
  }
}

const NO_CONNECTIONS: ReadonlySet<Connection> = new Set();

function addTo(index: Map<ClientId, Set<Connection>>, key: ClientId, connection: Connection): void {
  const group = index.get(key);
  if (group) group.add(connection);
  else index.set(key, new Set([connection]));
}

function removeFrom(index: Map<ClientId, Set<Connection>>, key: ClientId, connection: Connection): void {
  const group = index.get(key);
  group?.delete(connection);
  if (group?.size === 0) index.delete(key);
}
