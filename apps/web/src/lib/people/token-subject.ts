import { type ClientId, isClientId } from "@presence/protocol";

/**
 * Reads the client id from the `sub` of a JSON Web Token; `undefined` if `token` is invalid. It doesn't verify the
 * signature: the server does.
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
