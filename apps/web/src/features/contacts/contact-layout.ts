import type { ClientId, Profile } from "@presence/protocol";
import type { ContactPresence } from "../../lib/presence/presence-store.ts";
import type { ShownStatus } from "../../lib/presence/shown-status.ts";

/** A contact, prepared for searching and sorting. */
export interface Entry {
  profile: Profile;
  /** Name, role and id in lower case and without accents. */
  searchText: string;
}

export type Statuses = ReadonlyMap<ClientId, ContactPresence> | undefined;

export type Filter = "all" | "online" | "offline";

export interface Section {
  status: ShownStatus;
  entries: Entry[];
}

const ORDER: readonly ShownStatus[] = ["ONLINE", "OFFLINE", "UNKNOWN"];

const collator = new Intl.Collator("en", { sensitivity: "base", numeric: true });

/** Prepares `profiles` and sorts them by name. */
export function prepareEntries(profiles: readonly Profile[]): Entry[] {
  return profiles
    .map((profile) => ({ profile, searchText: normalize(`${profile.name} ${profile.role ?? ""} ${profile.id}`) }))
    .sort((a, b) => collator.compare(a.profile.name, b.profile.name) || collator.compare(a.profile.id, b.profile.id));
}

/**
 * Filters the contacts and groups them into sections: online, offline, unknown. Empty sections are omitted, except the
 * online section of an unfiltered list: it keeps its place, so that the first contact that comes online moves no other.
 *
 * @param entries sorted, from {@link prepareEntries}
 */
export function layoutContacts(
  entries: readonly Entry[],
  statuses: Statuses,
  { search, filter }: { search: string; filter: Filter },
): Section[] {
  const terms = normalize(search).split(/\s+/).filter(Boolean);
  const byStatus: Record<ShownStatus, Entry[]> = { ONLINE: [], OFFLINE: [], UNKNOWN: [] };
  for (const entry of entries) {
    if (!terms.every((term) => entry.searchText.includes(term))) continue;
    byStatus[sectionOf(statuses, entry.profile.id)].push(entry);
  }
  const isUnfiltered = filter === "all" && terms.length === 0 && statuses !== undefined && entries.length > 0;
  return ORDER.map((status) => ({ status, entries: byStatus[status] })).filter(
    (section) =>
      (section.entries.length > 0 && isShown(section.status, filter)) || (isUnfiltered && section.status === "ONLINE"),
  );
}

/** Counts the contacts in `entries` by status. */
export function countStatuses(entries: readonly Entry[], statuses: Statuses): Record<ShownStatus, number> {
  const counts: Record<ShownStatus, number> = { ONLINE: 0, OFFLINE: 0, UNKNOWN: 0 };
  for (const { profile } of entries) counts[sectionOf(statuses, profile.id)]++;
  return counts;
}

/** Counts the contacts that will appear, disappear or change section when a paused list is updated. */
export function countMoves(paused: { entries: readonly Entry[]; statuses: Statuses }, now: typeof paused): number {
  if (paused.entries === now.entries) {
    return now.entries.filter(({ profile: { id } }) => sectionOf(paused.statuses, id) !== sectionOf(now.statuses, id))
      .length;
  }
  const before = new Map(paused.entries.map(({ profile }) => [profile.id, sectionOf(paused.statuses, profile.id)]));
  let moves = 0;
  for (const { profile } of now.entries) {
    if (before.get(profile.id) !== sectionOf(now.statuses, profile.id)) moves++;
    before.delete(profile.id);
  }
  return moves + before.size;
}

function isShown(status: ShownStatus, filter: Filter): boolean {
  return filter === "all" || status.toLowerCase() === filter;
}

function sectionOf(statuses: Statuses, client: ClientId): ShownStatus {
  return statuses?.get(client)?.status ?? "UNKNOWN";
}

function normalize(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase();
}
