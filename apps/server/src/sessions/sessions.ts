import { type ClientId, createProblem } from "@presence/protocol";

/** The content of a valid token. */
export interface Session {
  client: ClientId;
  /** A hash that identifies the token. All connections opened with one token share it. */
  key: string;
  /** When the token expires, in ms since the epoch. */
  expiresAt: number;
}

/** Verifies and revokes tokens. */
export interface Sessions {
  /**
   * @throws {TokenError} if the token is not accepted
   * @throws {PresenceUnavailableError} if the revocation check is unavailable
   */
  verify(token: string): Promise<Session>;

  /**
   * Like `verify`, but accepts the token if the revocation check is unavailable or slow. Use it only for requests that grant
   * nothing new.
   *
   * @throws {TokenError}
   */
  verifyLeniently(token: string): Promise<Session>;

  /** Revokes the session's token. */
  revoke(session: Session): Promise<void>;
}

/** Sessions of demo mode: anyone gets a token for any client. */
export interface DemoSessions extends Sessions {
  issue(client: ClientId): Promise<{ token: string; expiresAt: number }>;
}

export type TokenErrorType =
  /** forged, malformed, of another issuer, or without a required claim */
  | "token-invalid"
  | "token-expired"
  | "signed-out"
  /** the issuer's keys cannot be fetched, so the token cannot be verified */
  | "keys-unavailable";

/** A token was not accepted. The message is sent to the client. */
export class TokenError extends Error {
  readonly type: TokenErrorType;

  constructor(type: TokenErrorType, message = defaultMessage(type), options?: ErrorOptions) {
    super(message, options);
    this.name = "TokenError";
    this.type = type;
  }
}

function defaultMessage(type: TokenErrorType): string {
  return type === "keys-unavailable"
    ? "The issuer's keys cannot be fetched at the moment. Try again shortly."
    : createProblem(`urn:presence:problem:${type}`).detail;
}
