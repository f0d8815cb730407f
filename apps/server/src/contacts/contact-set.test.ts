import fc from "fast-check";
import { expect, it } from "vitest";
import { ContactSet, IdPool } from "./contact-set.ts";

it("behaves like a Set of its ids", () => {
  const id = fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom("anouk", "__proto__", "Anouk", "anouk-2"));
  fc.assert(
    fc.property(fc.array(id), id, (ids, other) => {
      const contacts = new ContactSet(ids, new IdPool());
      const expected = new Set(ids);
      expect(new Set(contacts)).toEqual(expected);
      expect(contacts.size).toBe(expected.size);
      for (const each of [...ids, other]) expect(contacts.has(each)).toBe(expected.has(each));
      expect(new Map(contacts.entries())).toEqual(new Map(expected.entries()));
    }),
  );
});
