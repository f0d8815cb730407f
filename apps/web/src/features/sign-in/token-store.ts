/**
 * Keeps the issuer's token in `sessionStorage`: it survives a reload, other tabs can't see it, and it is deleted with the
 * tab.
 */
const STORAGE_KEY = "presence.token";

/** Reads the token from the URL fragment and removes it from the address bar and the history; otherwise the stored one. */
export function readToken(): string | undefined {
  const fromLink = new URLSearchParams(location.hash.slice(1)).get("token");
  if (fromLink === null) return sessionStorage.getItem(STORAGE_KEY) ?? undefined;
  history.replaceState(null, "", location.pathname + location.search);
  storeToken(fromLink);
  return fromLink;
}

export function storeToken(token: string): void {
  sessionStorage.setItem(STORAGE_KEY, token);
}

export function deleteToken(): void {
  sessionStorage.removeItem(STORAGE_KEY);
}
