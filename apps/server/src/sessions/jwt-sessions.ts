import { createHash, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { CLIENT_ID_RULE, type ClientId, isClientId } from "@presence/protocol";
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from "jose";
import type { Revocations } from "./revocations.ts";
import { type DemoSessions, type Session, type Sessions, TokenError } from "./sessions.ts";

/**
 * How long a lenient check waits to learn whether the token is revoked, in ms. A Redis that hangs answers only after
 * seconds, and a ping that is late by then would close the stream of a browser that is there.
 */
const MAX_LENIENT_WAIT_MS = 500;
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

/** Limits for tokens of an issuer. */
export interface TokenLimits {
  maxTokenLifetimeMs: number;
}

type Check = (token: string) => Promise<{ payload: JWTPayload }>;

/**
 * Sessions of demo mode: the server issues the tokens.
 *
 * @param key signs the tokens (HS256)
 * @param lifetimeMs how long a token is valid
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

/** Sessions of issuer mode, with a secret shared with the issuer (HS256). */
export function createSharedSecretSessions(secret: string, revocations: Revocations, limits: TokenLimits): Sessions {
  const key = new TextEncoder().encode(secret);
  const check = (token: string) => jwtVerify(token, key, issuerOptions([SHARED_SECRET_ALGORITHM]));
  return jwtSessions(revocations, limitedCheck(check, limits));
}

/**
 * Sessions of issuer mode, with the issuer's public keys. The keys are fetched at first use, and again when a token names
 * an unknown key.
 *
 * HMAC algorithms are rejected: otherwise anyone could sign tokens with the public key as the secret.
 */
export function createJwksSessions(url: URL, revocations: Revocations, limits: TokenLimits): Sessions {
  const keys = createRemoteJWKSet(url);
  const check = (token: string) => jwtVerify(token, keys, issuerOptions(PUBLIC_KEY_ALGORITHMS));
  return jwtSessions(revocations, limitedCheck(check, limits));
}

/** Rejects tokens that are valid for too long, because a stolen token can be used until it expires. */
function limitedCheck(check: Check, { maxTokenLifetimeMs }: TokenLimits): Check {
  return async (token) => {
    const checked = await check(token);
    const { exp = 0 } = checked.payload;
    if (exp * 1000 - Date.now() <= maxTokenLifetimeMs) return checked;
    throw new TokenError(
      "token-invalid",
      `The token is valid for too long: at most ${maxTokenLifetimeMs / 1000} s are allowed. Sign in again.`,
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
      throw new TokenError("signed-out");
    }
    return session;
  };
  return {
    verify: (token) => verify(token, (key) => revocations.has(key)),
    verifyLeniently: (token) => verify(token, (key) => isKnownToBeRevoked(revocations, key)),
    revoke: (session) => revocations.add(session),
  };
}

/** Whether the token is revoked; `false` if that can't be found out soon. */
async function isKnownToBeRevoked(revocations: Revocations, key: string): Promise<boolean> {
  const waiting = new AbortController();
  try {
    const timeout = delay(MAX_LENIENT_WAIT_MS, false, { signal: waiting.signal });
    return await Promise.race([revocations.has(key), timeout]);
  } catch {
    return false;
  } finally {
    waiting.abort();
  }
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
    return new TokenError("token-expired", undefined, { cause: error });
  }
  if (error instanceof errors.JWKSNoMatchingKey || isAboutTheToken(error)) {
    return new TokenError("token-invalid", undefined, { cause: error });
  }
  return new TokenError("keys-unavailable", undefined, { cause: error });
}

/** Whether the token caused jose's error. Other causes are a time-out, a network error or an invalid key set. */
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
    throw new TokenError("token-invalid", `The token's subject (sub) is not a client id: ${CLIENT_ID_RULE}.`);
  }
  if (exp === undefined) throw new TokenError("token-invalid", "The token has no expiry (exp).");
  return { client: sub, key: keyOf(token), expiresAt: exp * 1000 };
}

/**
 * Identifies a token by its header and payload. The signature is left out: the last base64url character has several
 * spellings of equal meaning, so a client could change it to bypass a revocation.
 */
function keyOf(token: string): string {
  const signed = token.slice(0, token.lastIndexOf("."));
  return createHash("sha256").update(signed).digest("base64url");
}
