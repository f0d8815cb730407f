import type { ClientId } from "@presence/protocol";
import { createStore } from "zustand/vanilla";
import type { LinkView } from "./link-view.ts";

export interface ConnectionState {
  view: LinkView;
  /** When the presence on the page was last known to be true, ms since the epoch. */
  asOfMs: number | undefined;
  /** The stream has been down long enough that statuses must not be shown as if they were true. */
  isStale: boolean;
  /** For requests beside the stream. */
  token: string | undefined;
  /** Clients in use in this browser. */
  inUse: ReadonlySet<ClientId>;
  /** How many pages share the connection. */
  tabs: number;
}

export const INITIAL_CONNECTION: ConnectionState = {
  view: { kind: "connecting" },
  asOfMs: undefined,
  isStale: false,
  token: undefined,
  inUse: new Set(),
  tabs: 1,
};

export const connectionStore = createStore<ConnectionState>(() => INITIAL_CONNECTION);

/** A stream that is back this soon was a hiccup: the page needn't flinch. */
const STALE_GRACE_MS = 800;

/** How long after `view` was entered its statuses become stale; `undefined` where they are true or don't exist yet. */
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
