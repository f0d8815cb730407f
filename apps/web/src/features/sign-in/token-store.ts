/**
 * The issuer's token, for as long as the tab lives: in `sessionStorage`, which other tabs don't see, so that a reload
 * doesn't sign out.
 */
const STORAGE_KEY = "presence.token";

/** The token in the fragment of the address, taken out of the address bar and the history, or else the stored one. */
export function takeToken(): string | undefined {
  const fromLink = new URLSearchParams(location.hash.slice(1)).get("token");
  if (fromLink === null) return sessionStorage.getItem(STORAGE_KEY) ?? undefined;
  history.replaceState(null, "", location.pathname + location.search);
  keepToken(fromLink);
  keepToken(fromLink);
  return fromLink;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(STORAGE_KEY, token);
}

export function dropToken(): void {
  sessionStorage.removeItem(STORAGE_KEY);
}
