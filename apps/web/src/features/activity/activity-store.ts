import type { ClientId, Status } from "@presence/protocol";
import { createStore } from "zustand/vanilla";
import type { Sighting } from "../../lib/live/tab-protocol.ts";

/** Someone came or went. */
export interface ActivityEntry {
  key: string;
  client: ClientId;
  status: Status;
  /** When it happened, ms since the epoch. */
  atMs: number;
  /** It happened while this page's stream was down, and was learnt afterwards. */
  missed: boolean;
}

export interface ActivityState {
  /** The latest first. */
  entries: readonly ActivityEntry[];
}

export const EMPTY_ACTIVITY: ActivityState = { entries: [] };

export const activityStore = createStore<ActivityState>(() => EMPTY_ACTIVITY);

/** Older entries are let go. */
const LIMIT = 200;

/** `state` with `sightings` entered, the one that happened last on top. What is entered already isn't again. */
export function withSightings(state: ActivityState, sightings: readonly Sighting[]): ActivityState {
  const known = new Set(state.entries.map(({ key }) => key));
  const fresh = sightings.map(toEntry).filter(({ key }) => !known.has(key) && known.add(key));
  if (fresh.length === 0) return state;
  const entries = [...fresh, ...state.entries].sort((a, b) => b.atMs - a.atMs);
  return { entries: entries.slice(0, LIMIT) };
}

function toEntry({ client, status, since, missed }: Sighting): ActivityEntry {
  return { key: `${client} ${status} ${since}`, client, status, atMs: since, missed };
}
