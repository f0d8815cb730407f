import type { ContactStore } from "./contacts/contact-store.ts";
import type { PresencePlatform } from "./presence/presence-platform.ts";
import type { Revocations } from "./sessions/revocations.ts";
import type { Session } from "./sessions/sessions.ts";

/** What differs between a server that stands alone and one of several on Redis. */
export interface PlatformParts {
  platform: PresencePlatform;
  contacts: ContactStore;
  revocations: Revocations;
  /** Signs the tokens of demo mode; all servers of one Redis have the same. */
  demoKey: Uint8Array;
  /** Calls the listener with sessions that are signed out at other servers. */
  followRevocations(onRevoked: (session: Session) => void): Promise<void>;
  /** What an operator should know, in words. */
  warnings(): string[];
  close(): Promise<void>;
}
