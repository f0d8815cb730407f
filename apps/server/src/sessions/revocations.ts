import type { Session } from "./sessions.ts";

/** Revoked tokens. */
export interface Revocations {
  /**
   * Revokes the session's token until it expires.
   *
   * @throws {PresenceUnavailableError} if the storage is unavailable
   */
  add(session: Session): Promise<void>;

  /**
   * @param key the session's `key`
   * @throws {PresenceUnavailableError} if the storage is unavailable
   */
  has(key: string): Promise<boolean>;
}
