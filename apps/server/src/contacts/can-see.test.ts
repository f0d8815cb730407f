import { describe, expect, it } from "vitest";
import { type ContactList, canSee } from "./can-see.ts";

const LIST: ContactList = { owner: "anouk", contacts: new Set(["magali"]), everyone: false, guests: false };
const GUEST = { client: "visitor", guest: true };
const OTHER = { client: "omar", guest: false };

describe("canSee", () => {
  it("is true for the contacts of the list, and for no other client", () => {
    expect(canSee(LIST, { client: "magali", guest: false })).toBe(true);
    expect(canSee(LIST, OTHER)).toBe(false);
  });

  it("is true for guests only if the list includes them", () => {
    expect(canSee(LIST, GUEST)).toBe(false);
    expect(canSee({ ...LIST, guests: true }, GUEST)).toBe(true);
    expect(canSee({ ...LIST, guests: true }, OTHER)).toBe(false);
  });

  it("is true for a contact that is a guest, although the list does not include guests", () => {
    expect(canSee(LIST, { client: "magali", guest: true })).toBe(true);
  });

  it("is false for the owner", () => {
    const list = { ...LIST, contacts: new Set(["anouk"]), everyone: true, guests: true };
    expect(canSee(list, { client: "anouk", guest: true })).toBe(false);
  });
});
