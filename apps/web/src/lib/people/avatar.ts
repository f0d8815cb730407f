import type { ClientId } from "@presence/protocol";

/** The number of tints in `tokens.css`. */
export const TINTS = 10;

/** A client's tint, from 0 to `TINTS` - 1. It depends on the id only, so it is the same on every machine. */
export function tintOf(client: ClientId): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < client.length; index++) {
    hash = Math.imul(hash ^ client.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % TINTS;
}

/** The initials of a name, one or two characters: `Magali Roux` → `MR`, `omar` → `O`. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._~-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? "");
  const first = letters[0] ?? "?";
  const last = letters.length > 1 ? (letters.at(-1) ?? "") : "";
  return (first + last).toLocaleUpperCase("en");
}
