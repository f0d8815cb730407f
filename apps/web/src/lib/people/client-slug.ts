import type { ClientId } from "@presence/protocol";

const MAX_LENGTH = 64;

/**
 * Makes a client id from a typed name: `Élise Martin` → `elise-martin`. A name that is a valid id isn't changed. Returns
 * `undefined` if no valid character is left.
 */
export function clientSlug(name: string): ClientId | undefined {
  const slug = name
    .trim()
    .normalize("NFD")
    .replace(/\p{Mark}/gu, "")
    .replace(/[^A-Za-z0-9._~-]+/g, "-")
    .slice(0, MAX_LENGTH)
    .replace(/^-+|-+$/g, "");
  if (slug === "") return undefined;
  return /\s/.test(name.trim()) || slug !== name.trim() ? slug.toLowerCase() : slug;
}
