import { type JWTPayload, SignJWT } from "jose";

/** The issuer's secret in tests of issuer mode: as long as an HS256 key should be. */
export const SHARED_SECRET = "a-secret-of-at-least-thirty-two-bytes";

/** Seconds since the epoch, as tokens count. */
export function secondsFromNow(seconds: number): number {
  return Date.now() / 1000 + seconds;
}

/** A token as the issuer with whom `secret` is shared would sign it. */
export function signWithSecret(claims: JWTPayload, secret = SHARED_SECRET): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
}

/** A token of `client` that is good for an hour. */
export function tokenOf(client: string): Promise<string> {
  return signWithSecret({ sub: client, exp: secondsFromNow(3_600) });
}

/** A token that says it needs no signature. */
export function unsignedToken(claims: JWTPayload): string {
  return `${base64url({ alg: "none", typ: "JWT" })}.${base64url(claims)}.`;
}

/** The same token with another last character: its spare bits mean nothing, so that it spells the same signature. */
export function respellSignature(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(token.slice(-1));
  return token.slice(0, -1) + alphabet.charAt(last ^ 1);
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
