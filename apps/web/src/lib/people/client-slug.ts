import type { ClientId } from "@presence/protocol";

const MAX_LENGTH = 64;

/**
 * The id that a typed name stands for: `Élise Martin` → `elise-martin`; a name that is a legal id already stays as it
 * is. `undefined` where nothing legal is left.
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
