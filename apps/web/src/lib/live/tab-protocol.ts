/** The messages between the pages of this browser and the worker that holds their connection. */
import type { ClientId, Presence, Problem } from "@presence/protocol";
import type { LinkView } from "./link-view.ts";

/** How a page signs in: by client id in demo mode, otherwise by an issuer's token. */
export type Credential = { kind: "demo"; client: ClientId } | { kind: "token"; client: ClientId; token: string };

/** What a client wants, or was told by the server. */
export type ClientPhase =
  | { kind: "active" }
  | { kind: "signed-out" }
  /** the server refuses this client; retrying doesn't help */
  | { kind: "refused"; problem: Problem };

/** What a page knows from an earlier worker. A worker that doesn't know the client continues from there. */
export interface Resumption {
  phase: ClientPhase;
  /** The session's token. */
  session: string | undefined;
  /** The presence that the page shows. */
  contacts: Presence[] | undefined;
  /** When it was last known to be up to date, ms since the epoch. */
  asOfMs: number | undefined;
}

export type TabMessage =
  /** `lock` is the name of a Web Lock that the page holds while it exists */
  | { kind: "join"; credential: Credential; lock: string | undefined; resume: Resumption }
  | { kind: "leave" }
  /** asks for a `pong`, which proves that the worker runs */
  | { kind: "ping" }
  | { kind: "sign-out" }
  | { kind: "sign-in" }
  /** the page became visible or its network changed, so the connection may be dead without being closed */
  | { kind: "check-connection"; online: boolean }
  | { kind: "retry" }
  | { kind: "cut-network" }
  | { kind: "restore-network" };

/** A change of presence, and when this browser received it. */
export interface ObservedChange extends Presence {
  /** ms since the epoch, by this machine's clock */
  seenAtMs: number;
  /** Whether it happened while this client's stream was down. */
  missed: boolean;
}

export type WorkerMessage =
  /** the first message; `lock` is the name of a Web Lock that the worker holds while it exists */
  | { kind: "hello"; lock: string | undefined }
  /** `asOfMs`: when the presence was last known to be up to date */
  | { kind: "pong"; asOfMs: number | undefined }
  | LiveMessage;

/** The messages about a client and its connection. */
export type LiveMessage =
  /** the token for other requests; `undefined` without a session */
  | { kind: "session"; token: string | undefined }
  /** `asOfMs`: when the presence was last known to be up to date */
  | { kind: "link"; view: LinkView; asOfMs: number | undefined }
  | { kind: "snapshot"; contacts: Presence[]; missed: ObservedChange[] }
  | { kind: "changes"; changes: ObservedChange[] }
  /** the clients that are open in this browser, and the number of tabs that share the connection */
  | { kind: "tabs"; clients: ClientId[]; count: number };
