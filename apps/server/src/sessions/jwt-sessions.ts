import { createHash, randomUUID } from "node:crypto";
import { CLIENT_ID_RULE, type ClientId, isClientId } from "@presence/protocol";
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from "jose";
import type { Revocations } from "./revocations.ts";
import { type DemoSessions, type Session, type Sessions, TokenError } from "./sessions.ts";

const DEMO_ISSUER = "presence-demo";
const SHARED_SECRET_ALGORITHM = "HS256";
const PUBLIC_KEY_ALGORITHMS = [
  "EdDSA",
  "Ed25519",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
  "RS384",
  "RS512",
];

/** How far away the end of a token may be. */
export interface TokenLimits {
  maxTokenLifetimeMs: number;
}

type Check = (token: string) => Promise<{ payload: JWTPayload }>;

/**
 * Demo mode: tokens signed with a key of this process.
 *
 * @param lifetimeMs how long a token lives
 */
export function createDemoSessions(key: Uint8Array, lifetimeMs: number, revocations: Revocations): DemoSessions {
  const sessions = jwtSessions(revocations, (token) =>
    jwtVerify(token, key, { algorithms: [SHARED_SECRET_ALGORITHM], issuer: DEMO_ISSUER, requiredClaims: ["exp"] }),
  );
  return {
    ...sessions,
    async issue(client: ClientId) {
      const expiresAtSeconds = Math.floor((Date.now() + lifetimeMs) / 1000);
      const token = await new SignJWT()
        .setProtectedHeader({ alg: SHARED_SECRET_ALGORITHM })
        .setIssuer(DEMO_ISSUER)
        .setSubject(client)
        .setJti(randomUUID())
        .setExpirationTime(expiresAtSeconds)
        .sign(key);
      return { token, expiresAt: expiresAtSeconds * 1000 };
    },
  };
}

/** Issuer mode, with a secret shared with the issuer (HS256). */
export function createSharedSecretSessions(secret: string, revocations: Revocations, limits: TokenLimits): Sessions {
  const key = new TextEncoder().encode(secret);
  const check = (token: string) => jwtVerify(token, key, issuerOptions([SHARED_SECRET_ALGORITHM]));
  return jwtSessions(revocations, limitedCheck(check, limits));
}

/**
 * Issuer mode, with the issuer's public keys, fetched when first needed and again when an unknown key turns up.
 *
 * Shared-secret algorithms are refused: a public key must never serve as a secret.
 */
export function createJwksSessions(url: URL, revocations: Revocations, limits: TokenLimits): Sessions {
  const keys = createRemoteJWKSet(url);
  const check = (token: string) => jwtVerify(token, keys, issuerOptions(PUBLIC_KEY_ALGORITHMS));
  return jwtSessions(revocations, limitedCheck(check, limits));
}

/** A token that lives for long is a key that can't be taken back: of another's tokens, only short ones count. */
function limitedCheck(check: Check, { maxTokenLifetimeMs }: TokenLimits): Check {
  return async (token) => {
    const checked = await check(token);
    const { exp = 0 } = checked.payload;
    if (exp * 1000 - Date.now() <= maxTokenLifetimeMs) return checked;
    throw new TokenError(
      "token-invalid",
      `The token lives too long: at most ${maxTokenLifetimeMs / 1000} s from now. Sign in again.`,
    );
  };
}

function issuerOptions(algorithms: string[]): JWTVerifyOptions {
  return { algorithms, requiredClaims: ["sub", "exp"] };
}

function jwtSessions(revocations: Revocations, check: Check): Sessions {
  const verify = async (token: string, isRevoked: (key: string) => Promise<boolean>) => {
    const session = toSession(token, await checked(check, token));
    if (await isRevoked(session.key)) {
      throw new TokenError("signed-out", "This session has been signed out. Sign in again.");
    }
    return session;
  };
  return {
    verify: (token) => verify(token, (key) => revocations.has(key)),
    verifyLeniently: (token) => verify(token, (key) => revocations.has(key).catch(() => false)),
    revoke: (session) => revocations.add(session),
  };
}

async function checked(check: Check, token: string): Promise<JWTPayload> {
  try {
    return (await check(token)).payload;
  } catch (error) {
    throw error instanceof TokenError ? error : asTokenError(error);
  }
}

function asTokenError(error: unknown): TokenError {
  if (error instanceof errors.JWTExpired) {
    return new TokenError("token-expired", "The token has expired. Sign in again.", { cause: error });
  }
  if (error instanceof errors.JWKSNoMatchingKey || isAboutTheToken(error)) {
    return new TokenError("token-invalid", "The token is not one that this server accepts. Sign in again.", {
      cause: error,
    });
  }
  return new TokenError("keys-unavailable", "The issuer's keys can't be fetched at the moment. Try again shortly.", {
    cause: error,
  });
}

/** What jose throws of the token itself; the rest (a time-out, a network error, a bad key set) is about the keys. */
function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== "ERR_JOSE_GENERIC"
  );
}

function toSession(token: string, { sub, exp }: JWTPayload): Session {
  if (!isClientId(sub)) {
    throw new TokenError("token-invalid", `The token's subject is not a client id: ${CLIENT_ID_RULE}.`);
  }
  if (exp === undefined) throw new TokenError("token-invalid", "The token has no expiry.");
  return { client: sub, key: keyOf(token), expiresAt: exp * 1000 };
}

/**
 * Header and payload name a token; its signature does not, as the last character of base64url has spellings that mean
 * the same and would slip past a revocation.
 */
function keyOf(token: string): string {
  const signed = token.slice(0, token.lastIndexOf("."));
  return createHash("sha256").update(signed).digest("base64url");
}
