import type { ClientId, Presence, Status } from "@presence/protocol";
import { createStore } from "zustand/vanilla";
import type { Sighting } from "../live/tab-protocol.ts";

/** What is known of one contact. */
export interface Known {
  status: Status;
  /** When the status began, ms since the epoch; 0 for one never seen. */
  sinceMs: number;
  /** When a change of it last reached this page, ms since the epoch; `undefined` where it came with a snapshot. */
  changedAtMs?: number;
}

export interface PresenceState {
  /** The one place where statuses live; `undefined` until the first snapshot. */
  statuses: ReadonlyMap<ClientId, Known> | undefined;
}

export const presenceStore = createStore<PresenceState>(() => ({ statuses: undefined }));

/** The state that a snapshot puts in place of all that was known; those in `missed` have changed just now. */
export function withPicture(contacts: readonly Presence[], missed: readonly Sighting[]): PresenceState {
  const seen = new Map(missed.map(({ client, seenAtMs }) => [client, seenAtMs]));
  const entries = contacts.map(({ client, status, since }): [ClientId, Known] => {
    const changedAtMs = seen.get(client);
    return [client, changedAtMs === undefined ? { status, sinceMs: since } : { status, sinceMs: since, changedAtMs }];
  });
  return { statuses: new Map(entries) };
}

/** `state` with `changes` on top, in their order. */
export function withChanges(state: PresenceState, changes: readonly Sighting[]): PresenceState {
  const statuses = new Map(state.statuses);
  for (const { client, status, since, seenAtMs } of changes) {
    statuses.set(client, { status, sinceMs: since, changedAtMs: seenAtMs });
  }
  return { statuses };
}
