import type { ClientId } from "@presence/protocol";
import { CompactSet } from "./compact-set.ts";
import type { Connection } from "./connection.ts";

/**
 * The local push registry: which connections a client has here, and which connections watch a contact.
 *
 * An event costs what its watchers cost, however many connections there are besides.
 */
export class PushRegistry {
  readonly #connections = new Set<Connection>();
  readonly #byClient = new Map<ClientId, CompactSet<Connection>>();
  readonly #watchersByContact = new Map<ClientId, CompactSet<Connection>>();
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

  connectionsOf(client: ClientId): Pick<CompactSet<Connection>, "size" | typeof Symbol.iterator> {
    return this.#byClient.get(client) ?? NO_CONNECTIONS;
  }

  add(connection: Connection): void {
    const { client, list } = connection.subscription;
    this.#connections.add(connection);
    addTo(this.#byClient, client, connection);
    if (list.everyone) this.#watchersOfAll.add(connection);
    else
      for (const contact of list.contacts) if (contact !== client) addTo(this.#watchersByContact, contact, connection);
  }

  remove(connection: Connection): void {
    const { client, list } = connection.subscription;
    this.#connections.delete(connection);
    removeFrom(this.#byClient, client, connection);
    if (list.everyone) this.#watchersOfAll.delete(connection);
    else
      for (const contact of list.contacts)
        if (contact !== client) removeFrom(this.#watchersByContact, contact, connection);
  }

  /**
   * Calls `visit` for each connection of those who may see `client`, but never of `client` itself. Everyone may see a guest.
   *
   * A callback, as this is done for each event and watcher, and a generator makes it half as dear again.
   */
  forEachWatcherOf(client: ClientId, { isGuest }: { isGuest: boolean }, visit: (watcher: Connection) => void): void {
    const visitOther = (connection: Connection) => {
      if (connection.subscription.client !== client) visit(connection);
    };
    if (isGuest) {
      this.#connections.forEach(visitOther);
      return;
    }
    this.#watchersByContact.get(client)?.forEach(visit);
    this.#watchersOfAll.forEach(visitOther);
  }
}

const NO_CONNECTIONS = new CompactSet<Connection>();

function addTo(index: Map<ClientId, CompactSet<Connection>>, key: ClientId, connection: Connection): void {
  const group = index.get(key);
  if (group) group.add(connection);
  else index.set(key, new CompactSet(connection));
}

function removeFrom(index: Map<ClientId, CompactSet<Connection>>, key: ClientId, connection: Connection): void {
  const group = index.get(key);
  group?.delete(connection);
  if (group?.size === 0) index.delete(key);
}
