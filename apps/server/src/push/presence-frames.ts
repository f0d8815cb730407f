import {
  type EventId,
  formatEventId,
  type PresenceEvent,
  type PresenceMessage,
  type StaleMessage,
} from "@presence/protocol";
import type { PresenceSnapshot, VersionedPresence } from "../presence/presence-platform.ts";
import { encodeFrame, encodeSnapshot } from "./sse.ts";

export function eventFrame({ client, status, at, version }: PresenceEvent, epoch: string): Buffer {
  return presenceFrame({ client, status, since: at, version }, epoch);
}

export function snapshotFrame({ at, id, presences }: PresenceSnapshot): Buffer {
  return encodeSnapshot(formatEventId(id), at, presences);
}

/** @param at until when the reader's statuses were right, ms since the epoch */
export function staleFrame(at: number): Buffer {
  const data: StaleMessage = { at };
  return encodeFrame({ event: "stale", data });
}

/**
 * The changes since `id`, as a snapshot shows them.
 *
 * @returns `undefined` if the snapshot does not contain every event since `id`
 */
export function catchUpFrames(snapshot: PresenceSnapshot, id: EventId): Buffer[] | undefined {
  if (!containsAllSince(snapshot, id)) return undefined;
  const changed = snapshot.presences
    .filter(({ version }) => version > id.version)
    .sort((left, right) => left.version - right.version);
  return changed.map((presence) => presenceFrame(presence, id.epoch));
}

/** A snapshot shows the last event of each client only. So it contains all events if no client had two since `id`. */
function containsAllSince({ id: now, completeSince, presences }: PresenceSnapshot, id: EventId): boolean {
  if (id.epoch !== now.epoch || id.version < completeSince || id.version > now.version) return false;
  return presences.every(({ version, previousVersion }) => version <= id.version || previousVersion <= id.version);
}

function presenceFrame(
  { client, status, since, version }: Omit<VersionedPresence, "previousVersion">,
  epoch: string,
): Buffer {
  const data: PresenceMessage = { client, status, since };
  return encodeFrame({ id: formatEventId({ epoch, version }), event: "presence", data });
}
