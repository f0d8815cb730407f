import type { ClientId, Presence } from "@presence/protocol";

/** The latest known presence of each contact of one client. */
export type Snapshot = ReadonlyMap<ClientId, Presence>;

/**
 * Whether `presence` is an update of the `known` one. Resumed streams repeat events and overlapping streams deliver them
 * out of order, so an older or equal presence isn't an update.
 */
export function isUpdate(known: Presence | undefined, presence: Presence): boolean {
  if (known === undefined) return true;
  if (presence.since < known.since) return false;
  return presence.status !== known.status || presence.since !== known.since;
}

/** Indexes the contacts of a snapshot message by client. */
export function toSnapshot(contacts: readonly Presence[]): Map<ClientId, Presence> {
  return new Map(contacts.map((presence) => [presence.client, presence]));
}

/**
 * The changes between `before` and the snapshot `contacts`: each contact whose status differs, oldest change first.
 *
 * It doesn't include a contact that went offline and came back, a new contact, or a contact with `since` 0: a restarted
 * server hasn't seen that contact and doesn't know when it went offline.
 */
export function missedChanges(before: Snapshot, contacts: readonly Presence[]): Presence[] {
  return contacts
    .filter((presence) => {
      const known = before.get(presence.client);
      return known !== undefined && known.status !== presence.status && presence.since !== 0;
    })
    .sort((a, b) => a.since - b.since);
}
