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
/** Nobody sees this one, and this one sees nobody. */
const HERMIT: ContactDocument = { id: "hermit", name: "Hermit", contacts: [] };
/** Legal ids that are traps for who keeps them as the keys of an object. */
const TRAPS = ["__proto__", "constructor", "toString"];

/** What every home of contact documents has to do. `create` makes a store that holds exactly these documents. */
export function contactStoreContract(create: (documents: readonly ContactDocument[]) => Promise<ContactStore>): void {
  it("finds a document as it was written", async () => {
    const store = await create([ANOUK, MAGALI]);
    expect(await store.find("anouk")).toEqual(ANOUK);
    expect(await store.find("magali")).toEqual(MAGALI);
  });

  it("finds nothing where nobody wrote", async () => {
    const store = await create([ANOUK]);
    expect(await store.find("omar")).toBeUndefined();
  });

  it("tells ids apart by case", async () => {
    const store = await create([ANOUK]);
    expect(await store.find("Anouk")).toBeUndefined();
  });

  it("finds those of many that exist, each once", async () => {
    const store = await create([ANOUK, MAGALI, HERMIT]);
    const found = await store.findMany(["hermit", "nobody", "anouk"]);
    expect(found.map(({ id }) => id).sort()).toEqual(["anouk", "hermit"]);
    expect(found).toContainEqual(ANOUK);
  });

  it("finds none of none", async () => {
    const store = await create([ANOUK]);
    expect(await store.findMany([])).toEqual([]);
  });

  it("lists everyone, in the same order each time", async () => {
    const store = await create([MAGALI, ANOUK, HERMIT]);
    const list = await store.list();
    expect(list.map(({ id }) => id).sort()).toEqual(["anouk", "hermit", "magali"]);
    expect(await store.list()).toEqual(list);
  });

  it.each(TRAPS)("does not find %s where nobody wrote it", async (id) => {
    const store = await create([ANOUK]);
    expect(await store.find(id)).toBeUndefined();
    expect(await store.findMany([id])).toEqual([]);
  });

  it.each(TRAPS)("keeps a document of %s like any other", async (id) => {
    const document: ContactDocument = { id, name: "Trap", contacts: ["anouk"] };
    const store = await create([ANOUK, document]);
    expect(await store.find(id)).toEqual(document);
    expect(await store.list()).toHaveLength(2);
  });
}
