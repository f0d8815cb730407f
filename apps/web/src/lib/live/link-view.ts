import type { Problem } from "@presence/protocol";
import type { LinkState } from "./link-state.ts";

/** The state of the connection as shown to the user. */
export type LinkView =
  /** the first attempt */
  | { kind: "connecting" }
  | { kind: "live"; sinceMs: number }
  /** connected, but the server can't read presence: the statuses were right until `asOfMs`, ms since the epoch */
  | { kind: "stale"; asOfMs: number }
  /** disconnected; the next attempt starts at `retryAtMs` */
  | { kind: "waiting"; retryAtMs: number }
  /** disconnected; an attempt is in progress */
  | { kind: "retrying" }
  /** disconnected: the worker couldn't be loaded; the next attempt starts at `retryAtMs`, or is in progress without it */
  | { kind: "not-loaded"; retryAtMs?: number }
  /** refused by a connection limit; the next attempt starts at `retryAtMs`, or is in progress without it */
  | { kind: "full"; retryAtMs?: number }
  /** disconnected, and the browser reports that it is offline */
  | { kind: "offline"; retryAtMs?: number }
  | { kind: "signed-out" }
  /** the server refuses this client; retrying doesn't help */
  | { kind: "refused"; problem: Problem };

/** The value of `data-state`, which styles and tests use. */
export type ConnectionStatus = "connecting" | "live" | "stale" | "reconnecting" | "full" | "offline" | "signed-out";

export function connectionStatus(view: LinkView): ConnectionStatus {
  switch (view.kind) {
    case "waiting":
    case "retrying":
    case "not-loaded":
      return "reconnecting";
    case "refused":
      return "signed-out";
    default:
      return view.kind;
  }
}

/** Whether 'Try now' makes sense: an attempt is planned, but not in progress. */
export function canRetry(view: LinkView): boolean {
  return view.kind === "waiting" || view.kind === "not-loaded" || view.kind === "full" || view.kind === "offline";
}

interface Circumstances {
  /** Whether the browser reports that it is online. */
  isOnline: boolean;
  /** Whether this client has received a snapshot before. */
  hasSnapshot: boolean;
}

/** The view of a client that no stream carries now. */
export function viewWithoutStream(link: LinkState, { isOnline, hasSnapshot }: Circumstances): LinkView {
  const when = link.kind === "waiting" ? { retryAtMs: link.retryAtMs } : undefined;
  if (!isOnline && link.kind !== "live") return { kind: "offline", ...when };
  if ((link.kind === "waiting" || link.kind === "opening") && link.isFull) return { kind: "full", ...when };
  if (when !== undefined) return { kind: "waiting", ...when };
  return { kind: hasSnapshot ? "retrying" : "connecting" };
}
