import { isClientId } from "@presence/protocol";
import fc from "fast-check";
import { expect, it } from "vitest";
import { clientSlug } from "./client-slug.ts";

it.each([
  ["anouk", "anouk"],
  [" Anouk ", "Anouk"],
  ["Élise Martin", "elise-martin"],
  ["a/b?c", "a-b-c"],
  ["__proto__", "__proto__"],
  ["日本", undefined],
  ["   ", undefined],
])("%j → %j", (name, slug) => {
  expect(clientSlug(name)).toBe(slug);
});

it("returns a valid id or undefined for any input", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (name) => {
      const slug = clientSlug(name);
      return slug === undefined || isClientId(slug);
    }),
  );
});
