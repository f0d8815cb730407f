import type { Session } from "./sessions.ts";

/** Tokens that were signed out. */
export interface Revocations {
  /**
   * From now on the session's token is refused, until it would have ended anyway.
   *
   * @throws {PresenceUnavailableError} where that can't be made known at the moment
   */
  add(session: Session): Promise<void>;

  /**
   * @param key of the session
   * @throws {PresenceUnavailableError} where nobody can tell at the moment
   */
  has(key: string): Promise<boolean>;
}
