import { isClientId } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { ROSTER } from "./roster.ts";

const ids = ROSTER.map(({ id }) => id);

describe("the roster", () => {
  it("has 10 to 15 different clients", () => {
    expect(ROSTER.length).toBeGreaterThanOrEqual(10);
    expect(ROSTER.length).toBeLessThanOrEqual(15);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    ["anouk", ["magali", "omar"]],
    ["magali", ["anouk", "omar"]],
    ["omar", ["anouk", "magali"]],
  ])("has the other two clients of the three-client demo in the list of %s", (id, others) => {
    expect(ROSTER.find((person) => person.id === id)?.contacts).toEqual(expect.arrayContaining(others));
  });

  it("has no two equal contact lists", () => {
    const lists = ROSTER.map(({ contacts }) => [...contacts].sort().join());
    expect(new Set(lists).size).toBe(lists.length);
  });

  it("has a contact that is not mutual", () => {
    const isOneSided = ROSTER.some(({ id, contacts }) =>
      contacts.some((contact) => !ROSTER.find((other) => other.id === contact)?.contacts.includes(id)),
    );
    expect(isOneSided).toBe(true);
  });

  it.each(ROSTER)("has a complete and valid document of $id", ({ id, name, role, timeZone, contacts }) => {
    expect(isClientId(id)).toBe(true);
    expect(name).toMatch(/\S+ \S+/);
    expect(role).toBeTruthy();
    expect(() => new Intl.DateTimeFormat("en", { timeZone })).not.toThrow();
    expect(timeZone).toBeTruthy();
    expect(contacts).not.toContain(id);
    expect(new Set(contacts).size).toBe(contacts.length);
    expect(ids).toEqual(expect.arrayContaining(contacts));
  });
});
