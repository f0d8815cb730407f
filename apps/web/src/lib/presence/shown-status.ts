import type { Status } from "@presence/protocol";

/** A status as a page may show it: while its own stream is stale, or before it has heard, it doesn't know. */
export type ShownStatus = Status | "UNKNOWN";

const WORDS: Record<ShownStatus, string> = { ONLINE: "Online", OFFLINE: "Offline", UNKNOWN: "Unknown" };

export function statusWord(status: ShownStatus): string {
  return WORDS[status];
}

export function shownStatus(known: { status: Status } | undefined, isStale: boolean): ShownStatus {
  return known === undefined || isStale ? "UNKNOWN" : known.status;
}
