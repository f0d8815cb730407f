import type { Problem } from "@presence/protocol";
import type { LinkState } from "./link-state.ts";

/** What a person sees of their own connection. */
export type LinkView =
  /** for the first time */
  | { kind: "connecting" }
  | { kind: "live"; sinceMs: number }
  /** lost; the next attempt comes at `retryAtMs` */
  | { kind: "waiting"; retryAtMs: number }
  /** lost; an attempt is under way */
  | { kind: "retrying" }
  /** not let in, as there is no room; the next attempt comes at `retryAtMs`, or is under way */
  | { kind: "full"; retryAtMs?: number }
  /** lost, and the browser says that there is no network */
  | { kind: "offline"; retryAtMs?: number }
  | { kind: "signed-out" }
  /** the server won't have this client: nothing to retry */
  | { kind: "refused"; problem: Problem };

/** The state as a stable word, for `data-state`: what styles and tests refer to. */
export type ConnectionWord = "connecting" | "live" | "reconnecting" | "full" | "offline" | "signed-out";

export function connectionWord(view: LinkView): ConnectionWord {
  switch (view.kind) {
    case "waiting":
    case "retrying":
      return "reconnecting";
    case "refused":
      return "signed-out";
    default:
      return view.kind;
  }
}

/** Whether there is something to gain from trying at once, instead of when it is due. */
export function canRetry(view: LinkView): boolean {
  return view.kind === "waiting" || view.kind === "full" || view.kind === "offline";
}

interface Circumstances {
  /** Whether the browser says that there is a network. */
  isOnline: boolean;
  /** Whether this person has seen their contacts' presence before. */
  hasPicture: boolean;
}

/** What somebody sees whom no stream carries at the moment. */
export function viewWithoutStream(link: LinkState, { isOnline, hasPicture }: Circumstances): LinkView {
  const when = link.kind === "waiting" ? { retryAtMs: link.retryAtMs } : undefined;
  if (!isOnline && link.kind !== "live") return { kind: "offline", ...when };
  if ((link.kind === "waiting" || link.kind === "opening") && link.isFull) return { kind: "full", ...when };
  if (when !== undefined) return { kind: "waiting", ...when };
  return { kind: hasPicture ? "retrying" : "connecting" };
}
