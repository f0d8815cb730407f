import type { ClientId, EventId, Presence, Status } from "@presence/protocol";

/** Somebody went from one status to the other before a viewer's eyes. */
export interface Transition extends Presence {
  /** The position in the order of events by which the viewer learned of it. */
  version: number;
  /** `event` where the viewer was told of the change itself, `snapshot` where a later look showed it. */
  learnedBy: "event" | "snapshot";
}

/** One contact as the viewer saw it last. */
interface Seen {
  status: Status;
  since: number;
}

const UNKNOWN: Seen = { status: "OFFLINE", since: 0 };

/**
 * What one viewer knows of its contacts, from what it was told, and what was wrong with the telling.
 *
 * A contact that no snapshot named counts as `OFFLINE`, as guests are named only while they are online.
 */
export class ViewerPicture {
  readonly viewer: ClientId;
  /** What the viewer should not have been told, in words. */
  readonly violations: string[] = [];
  /** Who came and went before the viewer's eyes since its first snapshot, in the order it was told. */
  readonly transitions: Transition[] = [];
  #seen = new Map<ClientId, Seen>();
  #lastId: EventId | undefined;

  constructor(viewer: ClientId) {
    this.viewer = viewer;
  }

  /** How far the viewer has come, or `undefined` before its first snapshot. */
  get lastId(): EventId | undefined {
    return this.#lastId;
  }

  /** Contacts of whom the viewer has heard. */
  get contacts(): Iterable<ClientId> {
    return this.#seen.keys();
  }

  statusOf(client: ClientId): Status {
    return (this.#seen.get(client) ?? UNKNOWN).status;
  }

  /** The viewer is told how everybody is. What it knew is replaced; where that differs, somebody came or went unseen. */
  takeSnapshot(id: EventId, contacts: readonly Presence[]): void {
    const isFirst = this.#lastId === undefined;
    if (this.#isOlder(id)) this.#complain(`a snapshot at ${id.version} came after ${this.#lastId?.version}`);
    this.#lastId = id;
    const before = this.#seen;
    this.#seen = new Map(contacts.map(({ client, status, since }) => [client, { status, since }]));
    if (isFirst) return;
    for (const client of new Set([...before.keys(), ...this.#seen.keys()])) {
      const { status, since } = this.#seen.get(client) ?? UNKNOWN;
      if (status === (before.get(client) ?? UNKNOWN).status) continue;
      this.transitions.push({ client, status, since, version: id.version, learnedBy: "snapshot" });
    }
  }

  /** The viewer is told of one change. */
  takeChange(id: EventId, { client, status, since }: Presence): void {
    if (this.#lastId === undefined) this.#complain(`a change of ${client} came before any snapshot`);
    else if (id.epoch !== this.#lastId.epoch) this.#complain(`a change of ${client} is of another order of events`);
    else if (id.version <= this.#lastId.version) {
      this.#complain(`a change of ${client} at ${id.version} came after ${this.#lastId.version}`);
    }
    if (client === this.viewer) this.#complain("it was told of itself");
    if (this.statusOf(client) === status) this.#complain(`${client} was ${status} already, and is told to be again`);
    else this.transitions.push({ client, status, since, version: id.version, learnedBy: "event" });
    this.#lastId = id;
    this.#seen.set(client, { status, since });
  }

  #isOlder({ epoch, version }: EventId): boolean {
    return this.#lastId?.epoch === epoch && version < this.#lastId.version;
  }

  #complain(what: string): void {
    this.violations.push(`${this.viewer}: ${what}`);
  }
}
