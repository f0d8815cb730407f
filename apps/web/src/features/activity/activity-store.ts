import type { ClientId, Status } from "@presence/protocol";
import { createStore } from "zustand/vanilla";
import type { ObservedChange } from "../../lib/live/tab-protocol.ts";

/** A contact came online or went offline. */
export interface ActivityEntry {
  key: string;
  client: ClientId;
  status: Status;
  /** When it happened, ms since the epoch. */
  atMs: number;
  /** Whether it happened while this page's stream was down. */
  missed: boolean;
}

export interface ActivityState {
  /** The latest change first. */
  entries: readonly ActivityEntry[];
}

export const EMPTY_ACTIVITY: ActivityState = { entries: [] };

export const activityStore = createStore<ActivityState>(() => EMPTY_ACTIVITY);

/** Older entries are dropped. */
const LIMIT = 200;

/** Adds `changes` that aren't in `state` yet. Returns the same object if there are none. */
export function withChanges(state: ActivityState, changes: readonly ObservedChange[]): ActivityState {
  const known = new Set(state.entries.map(({ key }) => key));
  const added = changes.map(toEntry).filter(({ key }) => !known.has(key) && known.add(key));
  if (added.length === 0) return state;
  const entries = [...added, ...state.entries].sort((a, b) => b.atMs - a.atMs);
  return { entries: entries.slice(0, LIMIT) };
}

function toEntry({ client, status, since, missed }: ObservedChange): ActivityEntry {
  return { key: `${client} ${status} ${since}`, client, status, atMs: since, missed };
}
