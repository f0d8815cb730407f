import type { LinkView } from "../../lib/live/link-view.ts";
import { secondsUntil } from "../../lib/time/relative-time.ts";

/** The state of a connection in the few words of the header. */
export function connectionLabel(view: LinkView, nowMs: number): string {
  switch (view.kind) {
    case "connecting":
      return "Connecting";
    case "live":
      return "Live";
    case "waiting":
      return `Reconnecting in ${secondsUntil(view.retryAtMs, nowMs)} s`;
    case "retrying":
      return "Reconnecting";
    case "full":
      return view.retryAtMs === undefined
        ? "Server full, trying again"
        : `Server full, trying again in ${secondsUntil(view.retryAtMs, nowMs)} s`;
    case "offline":
      return "Offline";
    case "signed-out":
      return "Signed out";
    case "refused":
      return "Not connected";
  }
}

/** What it means for the person, in a sentence. */
export function connectionMeaning(view: LinkView): string {
  switch (view.kind) {
    case "connecting":
      return "Getting in touch with the server.";
    case "live":
      return "Changes reach you as they happen.";
    case "waiting":
    case "retrying":
      return "The server can’t be reached. This page keeps trying by itself.";
    case "full":
      return "The server has as many connections as it can take. This page keeps trying by itself.";
    case "offline":
      return "Your device has no network. This page comes back by itself when it has.";
    case "signed-out":
      return "Others see you offline.";
    case "refused":
      return view.problem.detail;
  }
}
