import type { LinkView } from "../../lib/live/link-view.ts";
import { clockTimeWithSeconds } from "../../lib/time/local-time.ts";
import { secondsUntil } from "../../lib/time/relative-time.ts";

const STALE = "Stale: no updates";

/** A short label for the state of the connection. */
export function connectionLabel(view: LinkView, nowMs: number): string {
  switch (view.kind) {
    case "connecting":
      return "Connecting";
    case "live":
      return "Live";
    case "stale":
      return `${STALE}, as of ${clockTimeWithSeconds(view.asOfMs)}`;
    case "waiting":
      return `Reconnecting in ${secondsUntil(view.retryAtMs, nowMs)} s`;
    case "retrying":
      return "Reconnecting";
    case "not-loaded":
      return view.retryAtMs === undefined ? "Reconnecting" : `Reconnecting in ${secondsUntil(view.retryAtMs, nowMs)} s`;
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

/** Like `connectionLabel`, for use beside the time up to which the statuses were right. */
export function connectionLabelWithoutTime(view: LinkView, nowMs: number): string {
  return view.kind === "stale" ? STALE : connectionLabel(view, nowMs);
}

/** What the state of the connection means for the user. */
export function connectionDescription(view: LinkView): string {
  switch (view.kind) {
    case "connecting":
      return "Connecting to the server.";
    case "live":
      return "You see changes as they happen.";
    case "stale":
      return "The server can’t find out who is online at the moment. This page stays connected and continues as soon as it can.";
    case "waiting":
    case "retrying":
      return "The server can’t be reached. This page keeps trying automatically.";
    case "not-loaded":
      return "A part of this page couldn’t be loaded. The page keeps trying automatically. If that doesn’t help, reload it.";
    case "full":
      return "The server has reached its connection limit. This page keeps trying automatically.";
    case "offline":
      return "Your device is offline. This page reconnects when the network is back.";
    case "signed-out":
      return "Others see you as offline.";
    case "refused":
      return view.problem.detail;
  }
}
