import type { ClientId, Presence, Status } from "@presence/protocol";
import { createStore } from "zustand/vanilla";
import type { ObservedChange } from "../live/tab-protocol.ts";

/** The presence of one contact. */
export interface ContactPresence {
  status: Status;
  /** When the status began, ms since the epoch; 0 if unknown. */
  sinceMs: number;
  /** When this browser received the last change, ms since the epoch; `undefined` if a snapshot brought the status. */
  changedAtMs?: number;
}

export interface PresenceState {
  /** By client id; `undefined` until the first snapshot. */
  statuses: ReadonlyMap<ClientId, ContactPresence> | undefined;
}

export const presenceStore = createStore<PresenceState>(() => ({ statuses: undefined }));

/** The state after a snapshot, which replaces all statuses. The contacts in `missed` are marked as just changed. */
export function withSnapshot(contacts: readonly Presence[], missed: readonly ObservedChange[]): PresenceState {
  const changedAt = new Map(missed.map(({ client, seenAtMs }) => [client, seenAtMs]));
  const entries = contacts.map(({ client, status, since }): [ClientId, ContactPresence] => {
    const changedAtMs = changedAt.get(client);
    return [client, changedAtMs === undefined ? { status, sinceMs: since } : { status, sinceMs: since, changedAtMs }];
  });
  return { statuses: new Map(entries) };
}

/** The state after `changes`, applied in order. */
export function withChanges(state: PresenceState, changes: readonly ObservedChange[]): PresenceState {
  const statuses = new Map(state.statuses);
  for (const { client, status, since, seenAtMs } of changes) {
    statuses.set(client, { status, sinceMs: since, changedAtMs: seenAtMs });
  }
  return { statuses };
}
