import type { ShownStatus } from "../lib/presence/shown-status.ts";
import "./status-badge.css";

/**
 * A status as a shape: a disc for online, a ring for offline, a dotted ring for unknown. It is hidden from assistive
 * technology, so the status must also be shown as text.
 */
export function StatusBadge({ status }: { status: ShownStatus }) {
  return (
    <svg className="status-badge" data-status={status} viewBox="0 0 16 16" aria-hidden="true">
      <circle className="status-badge__cutout" cx="8" cy="8" r="8" />
      <circle className="status-badge__shape" cx="8" cy="8" r={status === "ONLINE" ? 5.5 : 4.5} />
    </svg>
  );
}
