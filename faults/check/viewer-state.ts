import type { ClientId, EventId, Presence, Status } from "@presence/protocol";

/** A status change that a viewer saw. */
export interface Transition extends Presence {
  /** Version of the message that showed it. */
  version: number;
  source: "event" | "snapshot";
}

interface Seen {
  status: Status;
  since: number;
}

const UNKNOWN: Seen = { status: "OFFLINE", since: 0 };

/**
 * The statuses of a viewer's contacts according to the messages that it received, and what was wrong with the messages.
 * A contact that is in no snapshot counts as `OFFLINE`: guests are listed only while they are online.
 */
export class ViewerState {
  readonly viewer: ClientId;
  /** Descriptions of messages that the viewer should not have received. */
  readonly violations: string[] = [];
  /** Status changes since the first snapshot, in order of arrival. */
  readonly transitions: Transition[] = [];
  #seen = new Map<ClientId, Seen>();
  #lastId: EventId | undefined;

  constructor(viewer: ClientId) {
    this.viewer = viewer;
  }

  /** The id of the last message; `undefined` before the first snapshot. */
  get lastId(): EventId | undefined {
    return this.#lastId;
  }

  statusOf(client: ClientId): Status {
    return (this.#seen.get(client) ?? UNKNOWN).status;
  }

  /** Replaces all statuses. Each difference from the statuses before counts as a transition. */
  applySnapshot(id: EventId, contacts: readonly Presence[]): void {
    const isFirst = this.#lastId === undefined;
    if (this.#lastId?.epoch === id.epoch && id.version < this.#lastId.version) {
      this.#report(`a snapshot at ${id.version} came after ${this.#lastId.version}`);
    }
    this.#lastId = id;
    const before = this.#seen;
    this.#seen = new Map(contacts.map(({ client, status, since }) => [client, { status, since }]));
    if (isFirst) return;
    for (const client of new Set([...before.keys(), ...this.#seen.keys()])) {
      const { status, since } = this.#seen.get(client) ?? UNKNOWN;
      if (status === (before.get(client) ?? UNKNOWN).status) continue;
      this.transitions.push({ client, status, since, version: id.version, source: "snapshot" });
    }
  }

  applyChange(id: EventId, { client, status, since }: Presence): void {
    if (this.#lastId === undefined) this.#report(`a change of ${client} came before any snapshot`);
    else if (id.epoch !== this.#lastId.epoch) this.#report(`a change of ${client} has another epoch`);
    else if (id.version <= this.#lastId.version) {
      this.#report(`a change of ${client} at ${id.version} came after ${this.#lastId.version}`);
    }
    if (client === this.viewer) this.#report("a change of itself");
    if (this.statusOf(client) === status) this.#report(`${client} was already ${status}`);
    else this.transitions.push({ client, status, since, version: id.version, source: "event" });
    this.#lastId = id;
    this.#seen.set(client, { status, since });
  }

  #report(violation: string): void {
    this.violations.push(`${this.viewer}: ${violation}`);
  }
}
