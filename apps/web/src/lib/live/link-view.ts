import type { Problem } from "@presence/protocol";

/** What a person sees of their own connection. */
export type LinkView =
  /** for the first time */
  | { kind: "connecting" }
  | { kind: "live"; sinceMs: number }
  /** lost; the next attempt comes at `retryAtMs` */
  | { kind: "waiting"; retryAtMs: number }
  /** lost; an attempt is under way */
  | { kind: "retrying" }
  /** lost, and the browser says that there is no network */
  | { kind: "offline"; retryAtMs?: number }
  | { kind: "signed-out" }
  /** the server won't have this client: nothing to retry */
  | { kind: "refused"; problem: Problem };

/** The state as a stable word, for `data-state`: what styles and tests refer to. */
export type ConnectionWord = "connecting" | "live" | "reconnecting" | "offline" | "signed-out";

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
