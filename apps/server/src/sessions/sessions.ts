import type { ClientId } from "@presence/protocol";

/** What a valid token says. */
export interface Session {
  client: ClientId;
  /** Names the token without giving it away; all connections opened with one token share it. */
  key: string;
  /** When the token ends, ms since the epoch. */
  expiresAt: number;
}

/** Checks tokens, and revokes them. */
export interface Sessions {
  /**
   * @throws {TokenError} where the token doesn't count
   * @throws {PresenceUnavailableError} where nobody can tell at the moment whether it was signed out
   */
  verify(token: string): Promise<Session>;

  /**
   * As `verify`, but the token counts where nobody can tell whether it was signed out: for what grants nothing that the
   * token has not been granted already.
   *
   * @throws {TokenError}
   */
  verifyLeniently(token: string): Promise<Session>;

  /** From now on the session's token is refused. */
  revoke(session: Session): Promise<void>;
}

/** Demo mode: whoever asks gets a token, for whomever they like. */
export interface DemoSessions extends Sessions {
  issue(client: ClientId): Promise<{ token: string; expiresAt: number }>;
}

export type TokenErrorType =
  /** forged, malformed, of another issuer, or without what it must say */
  | "token-invalid"
  | "token-expired"
  | "signed-out"
  /** the issuer's keys can't be had at the moment, so nobody can tell */
  | "keys-unavailable";

/** Why a token doesn't count; the message is for the person who sent it. */
export class TokenError extends Error {
  readonly type: TokenErrorType;

  constructor(type: TokenErrorType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TokenError";
    this.type = type;
  }
}
