import type { Session } from "./sessions.ts";

/** Tokens that were signed out. */
export interface Revocations {
  /** From now on the session's token is refused, until it would have ended anyway. */
  add(session: Session): Promise<void>;

  /** @param key of the session */
  has(key: string): Promise<boolean>;
}
