import type { ClientRecord, ReadReply } from "@presence/gears";
import type { ClientId } from "@presence/protocol";
import type { Interest, PresenceSnapshot, VersionedPresence } from "../presence-platform.ts";
import { headOf } from "./downstream-position.ts";

/** The part of a reply that an interest names. A reply may contain clients of other requests of its batch. */
export function toSnapshot(reply: ReadReply, { contacts, guests }: Interest): PresenceSnapshot {
  const presences: VersionedPresence[] = [];
  contacts.forEach((client) => {
    presences.push(toPresence(client, reply.records.get(client)));
  });
  if (guests) {
    for (const [guest, record] of reply.guests) {
      if (!contacts.has(guest)) presences.push(toPresence(guest, record));
    }
  }
  return {
    at: reply.nowMs,
    id: headOf(reply),
    presences,
    completeSince: guests ? Number(reply.lastGuestOfflineVersion) : 0,
  };
}

function toPresence(client: ClientId, record: ClientRecord | undefined): VersionedPresence {
  if (!record) return { client, status: "OFFLINE", since: 0, version: 0, previousVersion: 0 };
  const { status, at, version, previous } = record;
  return { client, status, since: at, version: Number(version), previousVersion: Number(previous) };
}
