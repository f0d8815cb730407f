import { type ClientId, isClientId } from "@presence/protocol";

/**
 * The client whom a JSON Web Token speaks for: its `sub`, read without checking the signature, which is the server's
 * business. `undefined` where `token` is no such thing.
 */
export function tokenSubject(token: string): ClientId | undefined {
  const [, payload] = token.split(".");
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(decodeBase64Url(payload));
    const subject = typeof claims === "object" && claims !== null && "sub" in claims ? claims.sub : undefined;
    return isClientId(subject) ? subject : undefined;
  } catch {
    return undefined;
  }
}

function decodeBase64Url(text: string): string {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}
