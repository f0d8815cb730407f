import type { ClientId } from "@presence/protocol";
import { createStore } from "zustand/vanilla";
import type { LinkView } from "./link-view.ts";

export interface ConnectionState {
  view: LinkView;
  /** When the presence on the page was last known to be up to date, ms since the epoch. */
  asOfMs: number | undefined;
  /** The stream has been down so long that statuses must be shown as unknown. */
  isStale: boolean;
  /** For requests other than the stream. */
  token: string | undefined;
  /** The clients that are open in this browser. */
  inUse: ReadonlySet<ClientId>;
  /** How many tabs share the connection. */
  tabCount: number;
}

export const INITIAL_CONNECTION: ConnectionState = {
  view: { kind: "connecting" },
  asOfMs: undefined,
  isStale: false,
  token: undefined,
  inUse: new Set(),
  tabCount: 1,
};

export const connectionStore = createStore<ConnectionState>(() => INITIAL_CONNECTION);

/** An interruption shorter than this isn't shown. */
const STALE_GRACE_MS = 800;

/**
 * How long after entering `view` the statuses become stale, in ms; `undefined` if they are up to date or not yet
 * received.
 */
export function staleDelayMs(view: LinkView): number | undefined {
  switch (view.kind) {
    case "live":
    case "connecting":
      return undefined;
    case "waiting":
    case "retrying":
      return STALE_GRACE_MS;
    default:
      return 0;
  }
}
