import type { ClientId, Profile } from "@presence/protocol";
import type { Known } from "../../lib/presence/presence-store.ts";
import type { ShownStatus } from "../../lib/presence/shown-status.ts";

/** A contact, ready to be found and put in order. */
export interface Entry {
  profile: Profile;
  /** What a search looks at: no case, no accents. */
  haystack: string;
}

export type Statuses = ReadonlyMap<ClientId, Known> | undefined;

export type Filter = "all" | "online" | "offline";

export interface Section {
  status: ShownStatus;
  entries: Entry[];
}

const ORDER: readonly ShownStatus[] = ["ONLINE", "OFFLINE", "UNKNOWN"];

const collator = new Intl.Collator("en", { sensitivity: "base", numeric: true });

/** `profiles` by name, ready for any number of layouts. */
export function prepareEntries(profiles: readonly Profile[]): Entry[] {
  return profiles
    .map((profile) => ({ profile, haystack: fold(`${profile.name} ${profile.role ?? ""} ${profile.id}`) }))
    .sort((a, b) => collator.compare(a.profile.name, b.profile.name) || collator.compare(a.profile.id, b.profile.id));
}

/**
 * Who stands where: online first, then offline, then those of whom nothing is known; by name within each. Empty
 * sections are left out, except that a whole list keeps a place for who will come online, so that nothing else has to
 * move when they do.
 *
 * @param entries in order, from {@link prepareEntries}
 */
export function layoutContacts(
  entries: readonly Entry[],
  statuses: Statuses,
  { search, filter }: { search: string; filter: Filter },
): Section[] {
  const needles = fold(search).split(/\s+/).filter(Boolean);
  const byStatus: Record<ShownStatus, Entry[]> = { ONLINE: [], OFFLINE: [], UNKNOWN: [] };
  for (const entry of entries) {
    if (!needles.every((needle) => entry.haystack.includes(needle))) continue;
    byStatus[sectionOf(statuses, entry.profile.id)].push(entry);
  }
  const isWhole = filter === "all" && needles.length === 0 && statuses !== undefined && entries.length > 0;
  return ORDER.map((status) => ({ status, entries: byStatus[status] })).filter(
    (section) =>
      (section.entries.length > 0 && isShown(section.status, filter)) || (isWhole && section.status === "ONLINE"),
  );
}

/** How many contacts of `entries` have each status. */
export function countStatuses(entries: readonly Entry[], statuses: Statuses): Record<ShownStatus, number> {
  const counts: Record<ShownStatus, number> = { ONLINE: 0, OFFLINE: 0, UNKNOWN: 0 };
  for (const { profile } of entries) counts[sectionOf(statuses, profile.id)]++;
  return counts;
}

/** How many contacts would appear, disappear or change section if a list that is held were let go. */
export function countMoves(held: { entries: readonly Entry[]; statuses: Statuses }, now: typeof held): number {
  if (held.entries === now.entries) {
    return now.entries.filter(({ profile: { id } }) => sectionOf(held.statuses, id) !== sectionOf(now.statuses, id))
      .length;
  }
  const before = new Map(held.entries.map(({ profile }) => [profile.id, sectionOf(held.statuses, profile.id)]));
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

function fold(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase();
}
