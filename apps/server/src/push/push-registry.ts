import type { ClientId, PresenceEvent } from "@presence/protocol";
import { canSee } from "../contacts/can-see.ts";
import { CompactSet } from "./compact-set.ts";
import type { Connection } from "./connection.ts";

/**
 * Indexes this server's connections: by client, and by the contacts that they view. So the cost of an event depends on the
 * number of its viewers only.
 */
export class PushRegistry {
  readonly #connections = new Set<Connection>();
  readonly #byClient = new Map<ClientId, CompactSet<Connection>>();
  readonly #viewersByContact = new Map<ClientId, CompactSet<Connection>>();
  /** Connections that view everyone (guests). An index entry per contact would cost clients × guests. */
  readonly #viewersOfEveryone = new Set<Connection>();
  /** Connections that view all guests: in demo mode all, otherwise none. */
  readonly #viewersOfGuests = new Set<Connection>();

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
    if (list.guests) this.#viewersOfGuests.add(connection);
    if (list.everyone) this.#viewersOfEveryone.add(connection);
    else
      for (const contact of list.contacts) if (contact !== client) addTo(this.#viewersByContact, contact, connection);
  }

  remove(connection: Connection): void {
    const { client, list } = connection.subscription;
    this.#connections.delete(connection);
    removeFrom(this.#byClient, client, connection);
    this.#viewersOfGuests.delete(connection);
    if (list.everyone) this.#viewersOfEveryone.delete(connection);
    else
      for (const contact of list.contacts)
        if (contact !== client) removeFrom(this.#viewersByContact, contact, connection);
  }

  /**
   * Calls `visit` for each connection whose list includes the event's client, as `canSee` has it.
   *
   * A callback, because this runs per event and viewer, and a generator costs half as much again.
   */
  forEachViewerOf(event: Pick<PresenceEvent, "client" | "guest">, visit: (viewer: Connection) => void): void {
    const visitIfVisible = (connection: Connection) => {
      if (canSee(connection.subscription.list, event)) visit(connection);
    };
    const viewers = this.#viewersByContact.get(event.client);
    if (event.guest) {
      this.#viewersOfGuests.forEach(visitIfVisible);
      viewers?.forEach((connection) => {
        if (!this.#viewersOfGuests.has(connection)) visit(connection);
      });
    } else {
      viewers?.forEach(visit);
      this.#viewersOfEveryone.forEach(visitIfVisible);
    }
  }
}

const NO_CONNECTIONS = new CompactSet<Connection>();

function addTo(index: Map<ClientId, CompactSet<Connection>>, key: ClientId, connection: Connection): void {
  const set = index.get(key);
  if (set) set.add(connection);
  else index.set(key, new CompactSet(connection));
}

function removeFrom(index: Map<ClientId, CompactSet<Connection>>, key: ClientId, connection: Connection): void {
  const set = index.get(key);
  set?.delete(connection);
  if (set?.size === 0) index.delete(key);
}
