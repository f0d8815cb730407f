import type { ClientId, Presence } from "@presence/protocol";

/** What one client knows of its contacts: the latest presence of each. */
export type Picture = ReadonlyMap<ClientId, Presence>;

/**
 * Whether `presence` adds to what is `known`. Resumed streams repeat and overlapping ones come out of order, so what is
 * older than the knowledge, or says the same again, is no news.
 */
export function isNews(known: Presence | undefined, presence: Presence): boolean {
  if (known === undefined) return true;
  if (presence.since < known.since) return false;
  return presence.status !== known.status || presence.since !== known.since;
}

/** The picture that a snapshot draws. */
export function pictureOf(contacts: readonly Presence[]): Map<ClientId, Presence> {
  return new Map(contacts.map((presence) => [presence.client, presence]));
}

/**
 * What happened between `before` and the snapshot `contacts`, as far as it left a trace: everyone whose status differs,
 * in the order in which they changed. One who left and came back is not news; nor is one who wasn't known before; nor
 * one whom this server has never seen: it began anew and can't tell of a leaving.
 */
export function missedChanges(before: Picture, contacts: readonly Presence[]): Presence[] {
  return contacts
    .filter((presence) => {
      const known = before.get(presence.client);
      return known !== undefined && known.status !== presence.status && presence.since !== 0;
    })
    .sort((a, b) => a.since - b.since);
}
