import type { Status } from "@presence/protocol";

/** A status as the page shows it: `UNKNOWN` while the stream is stale and before the first snapshot. */
export type ShownStatus = Status | "UNKNOWN";

const LABELS: Record<ShownStatus, string> = { ONLINE: "Online", OFFLINE: "Offline", UNKNOWN: "Unknown" };

export function statusLabel(status: ShownStatus): string {
  return LABELS[status];
}

export function shownStatus(presence: { status: Status } | undefined, isStale: boolean): ShownStatus {
  return presence === undefined || isStale ? "UNKNOWN" : presence.status;
}
