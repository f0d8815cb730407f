/** What the pages of this browser and the worker that holds their connection tell each other. */
import type { ClientId, Presence } from "@presence/protocol";
import type { LinkView } from "./link-view.ts";

/** Who a page wants to be: in demo mode a name is enough, otherwise the token of an issuer says it. */
export type Credential = { kind: "demo"; client: ClientId } | { kind: "token"; client: ClientId; token: string };

export type TabMessage =
  /** `lock` is a Web Lock that this page holds for as long as it lives */
  | { kind: "hello"; credential: Credential; lock: string | undefined }
  | { kind: "bye" }
  | { kind: "sign-out" }
  | { kind: "sign-in" }
  /** something happened after which a connection is often dead without knowing: wake, visible again, network change */
  | { kind: "nudge"; online: boolean }
  | { kind: "retry" }
  | { kind: "cut-network" }
  | { kind: "restore-network" };

/** A presence, and when it reached this browser. */
export interface Sighting extends Presence {
  /** ms since the epoch, on this machine's clock */
  seenAtMs: number;
  /** It happened while this client's stream was down. */
  missed: boolean;
}

export type WorkerMessage =
  /** the token to use for other requests; none while there's no session */
  | { kind: "session"; token: string | undefined }
  /** `asOfMs`: when the picture was last known to be true */
  | { kind: "link"; view: LinkView; asOfMs: number | undefined }
  | { kind: "picture"; contacts: Presence[]; missed: Sighting[] }
  | { kind: "changes"; changes: Sighting[] }
  /** who is in use in this browser, and how many pages share the connection */
  | { kind: "company"; clients: ClientId[]; tabs: number };
