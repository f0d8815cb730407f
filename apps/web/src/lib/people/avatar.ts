import type { ClientId } from "@presence/protocol";

/** How many tints the palette in `tokens.css` has. */
export const TINTS = 10;

/** Which tint stands for a client: the same on every machine, since it depends on the id alone. */
export function tintOf(client: ClientId): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < client.length; index++) {
    hash = Math.imul(hash ^ client.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % TINTS;
}

/** One or two letters for a name: `Magali Roux` → `MR`, `omar` → `O`. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._~-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? "");
  const first = letters[0] ?? "?";
  const last = letters.length > 1 ? (letters.at(-1) ?? "") : "";
  return (first + last).toLocaleUpperCase("en");
}
