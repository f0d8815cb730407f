import { describe, expect, it } from "vitest";
import type { ContactDocument } from "./contact-store.ts";
import { Directory } from "./directory.ts";
import { MemoryContactStore } from "./memory-contact-store.ts";

const PEOPLE: ContactDocument[] = [
  { id: "anouk", name: "Anouk Lefèvre", role: "Product lead", timeZone: "Europe/Paris", contacts: ["omar"] },
  { id: "omar", name: "Omar Haddad", contacts: ["anouk", "omar"] },
];

const demo = new Directory(new MemoryContactStore(PEOPLE), { admitsGuests: true, maxContacts: 10 });
const issuer = new Directory(new MemoryContactStore(PEOPLE), { admitsGuests: false, maxContacts: 10 });

describe("Directory", () => {
  it("returns the contact list of the document", async () => {
    const { contacts, ...list } = await demo.contactListOf("anouk");
    expect([...contacts]).toEqual(["omar"]);
    expect(list).toEqual({ owner: "anouk", everyone: false, guests: true });
  });

  it("leaves the owner out of the contact list", async () => {
    expect([...(await demo.contactListOf("omar")).contacts]).toEqual(["anouk"]);
  });

  it("returns all clients with a document for a guest", async () => {
    expect(await demo.contactListOf("zoe")).toEqual({
      owner: "zoe",
      contacts: new Set(["anouk", "omar"]),
      everyone: true,
      guests: true,
    });
  });

  it("returns an empty list for a client without a document if guests are not admitted", async () => {
    expect(await issuer.contactListOf("zoe")).toEqual({
      owner: "zoe",
      contacts: new Set(),
      everyone: false,
      guests: false,
    });
  });

  it("returns profiles without contacts", async () => {
    expect(await demo.people()).toEqual([
      { id: "anouk", name: "Anouk Lefèvre", role: "Product lead", timeZone: "Europe/Paris" },
      { id: "omar", name: "Omar Haddad" },
    ]);
  });

  it("returns a profile for each client", async () => {
    const profiles = await demo.profilesOf(new Set(["omar", "zoe"]));
    expect([...profiles]).toEqual([
      ["omar", { id: "omar", name: "Omar Haddad" }],
      ["zoe", { id: "zoe", name: "Zoe", guest: true }],
    ]);
  });

  it("uses the id as the name of a client without a document if guests are not admitted", async () => {
    expect((await issuer.profilesOf(new Set(["zoe"]))).get("zoe")).toEqual({ id: "zoe", name: "zoe" });
  });

  it.each([
    ["zoe-smith", "Zoe Smith"],
    ["zoe.smith_jr", "Zoe Smith Jr"],
    ["__proto__", "Proto"],
    ["~", "~"],
    ["-._~", "-._~"],
    ["R2D2", "R2D2"],
  ])("derives the name of the guest %s: %s", async (id, name) => {
    expect((await demo.profilesOf(new Set([id]))).get(id)?.name).toBe(name);
  });
});
