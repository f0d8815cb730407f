import type { ContactStore } from "./contacts/contact-store.ts";
import type { PresencePlatform } from "./presence/presence-platform.ts";
import type { Revocations } from "./sessions/revocations.ts";
import type { Session } from "./sessions/sessions.ts";

/** The parts that differ between a standalone server and one that uses Redis. */
export interface PlatformParts {
  platform: PresencePlatform;
  contacts: ContactStore;
  revocations: Revocations;
  /** Signs the tokens of demo mode. All servers of one Redis share it. */
  demoKey: Uint8Array;
  /** Calls the listener with each session that is signed out on another server. */
  followRevocations(onRevoked: (session: Session) => void): Promise<void>;
  /** Texts for `GET /readyz`. */
  warnings(): string[];
  close(): Promise<void>;
}
