import { type JWTPayload, SignJWT } from "jose";

/** The issuer's secret in tests of issuer mode. It has the required length of an HS256 key. */
export const SHARED_SECRET = "a-secret-of-at-least-thirty-two-bytes";

/** A time in seconds since the epoch, as in a token. */
export function secondsFromNow(seconds: number): number {
  return Date.now() / 1000 + seconds;
}

/** A token of the issuer that shares `secret`. */
export function signWithSecret(claims: JWTPayload, secret = SHARED_SECRET): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
}

/** A token of `client` that is valid for an hour. */
export function tokenOf(client: string): Promise<string> {
  return signWithSecret({ sub: client, exp: secondsFromNow(3_600) });
}

/** A token with `alg: none`. */
export function unsignedToken(claims: JWTPayload): string {
  return `${base64url({ alg: "none", typ: "JWT" })}.${base64url(claims)}.`;
}

/** The token with another spelling of the same signature: the last base64url character has bits that are ignored. */
export function respellSignature(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(token.slice(-1));
  return token.slice(0, -1) + alphabet.charAt(last ^ 1);
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
