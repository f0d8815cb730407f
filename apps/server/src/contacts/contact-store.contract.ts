import { expect, it } from "vitest";
import type { ContactDocument, ContactStore } from "./contact-store.ts";

const ANOUK: ContactDocument = {
  id: "anouk",
  name: "Anouk Lefèvre",
  role: "Product lead",
  timeZone: "Europe/Paris",
  contacts: ["magali", "omar"],
};
const MAGALI: ContactDocument = { id: "magali", name: "Magali Dubois", contacts: ["anouk"] };
/** Has no contacts, and is in no contact list. */
const HERMIT: ContactDocument = { id: "hermit", name: "Hermit", contacts: [] };
/** Valid ids that break code which uses them as keys of a plain object. */
const OBJECT_KEYS = ["__proto__", "constructor", "toString"];

/** The tests of every `ContactStore`. `create` returns a store with exactly these documents. */
export function contactStoreContract(create: (documents: readonly ContactDocument[]) => Promise<ContactStore>): void {
  it("finds a document unchanged", async () => {
    const store = await create([ANOUK, MAGALI]);
    expect(await store.find("anouk")).toEqual(ANOUK);
    expect(await store.find("magali")).toEqual(MAGALI);
  });

  it("returns undefined for an unknown id", async () => {
    const store = await create([ANOUK]);
    expect(await store.find("omar")).toBeUndefined();
  });

  it("compares ids case-sensitively", async () => {
    const store = await create([ANOUK]);
    expect(await store.find("Anouk")).toBeUndefined();
  });

  it("finds those of several documents that exist", async () => {
    const store = await create([ANOUK, MAGALI, HERMIT]);
    const found = await store.findMany(["hermit", "unknown", "anouk"]);
    expect(found.map(({ id }) => id).sort()).toEqual(["anouk", "hermit"]);
    expect(found).toContainEqual(ANOUK);
  });

  it("finds no documents for no ids", async () => {
    const store = await create([ANOUK]);
    expect(await store.findMany([])).toEqual([]);
  });

  it("lists all documents in a stable order", async () => {
    const store = await create([MAGALI, ANOUK, HERMIT]);
    const list = await store.list();
    expect(list.map(({ id }) => id).sort()).toEqual(["anouk", "hermit", "magali"]);
    expect(await store.list()).toEqual(list);
  });

  it.each(OBJECT_KEYS)("does not find %s if there is no such document", async (id) => {
    const store = await create([ANOUK]);
    expect(await store.find(id)).toBeUndefined();
    expect(await store.findMany([id])).toEqual([]);
  });

  it.each(OBJECT_KEYS)("stores a document with the id %s", async (id) => {
    const document: ContactDocument = { id, name: "Name", contacts: ["anouk"] };
    const store = await create([ANOUK, document]);
    expect(await store.find(id)).toEqual(document);
    expect(await store.list()).toHaveLength(2);
  });
}
