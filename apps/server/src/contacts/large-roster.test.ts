import { isClientId } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import type { ContactDocument } from "./contact-store.ts";
import { enlargeRoster } from "./large-roster.ts";
import { ROSTER } from "./roster.ts";

describe("enlargeRoster", () => {
  it.each([ROSTER.length, 500, 5_000])("gives each client in the roster %i contacts", (count) => {
    const people = enlargeRoster(ROSTER, count);
    for (const { id } of ROSTER) expect(find(people, id).contacts).toHaveLength(count);
    expect(people).toHaveLength(count + 1);
  });

  it("keeps the whole roster in each list if the count is smaller", () => {
    const people = enlargeRoster(ROSTER, 1);
    expect(people).toHaveLength(ROSTER.length);
    for (const { contacts } of people) expect(contacts).toHaveLength(ROSTER.length - 1);
  });

  it("is deterministic", () => {
    expect(enlargeRoster(ROSTER, 300)).toEqual(enlargeRoster(ROSTER, 300));
  });

  it("does not change the roster", () => {
    const before = structuredClone(ROSTER);
    enlargeRoster(ROSTER, 100);
    expect(ROSTER).toEqual(before);
  });

  it("generates valid ids, names, time zones and contact lists", () => {
    const people = enlargeRoster(ROSTER, 2_000);
    const ids = new Set(people.map(({ id }) => id));
    expect(ids.size).toBe(people.length);
    for (const timeZone of new Set(people.map((person) => person.timeZone))) {
      expect(() => new Intl.DateTimeFormat("en", { timeZone })).not.toThrow();
    }
    for (const { id, name, role, contacts } of people) {
      expect(isClientId(id)).toBe(true);
      expect(name).toMatch(/\S+ \S+/);
      expect(role).toBeTruthy();
      expect(contacts).not.toContain(id);
      expect(new Set(contacts).size).toBe(contacts.length);
      expect(contacts.every((contact) => ids.has(contact))).toBe(true);
    }
  });

  it("gives 600 clients different names", () => {
    const people = enlargeRoster(ROSTER, 600);
    expect(new Set(people.map(({ name }) => name)).size).toBe(people.length);
  });

  it("gives a colleague the roster and a few other colleagues", () => {
    const people = enlargeRoster(ROSTER, 500);
    const { contacts } = find(people, "colleague-00001");
    expect(contacts).toEqual(expect.arrayContaining(ROSTER.map(({ id }) => id)));
    expect(contacts.length).toBeGreaterThan(ROSTER.length);
    expect(contacts.length).toBeLessThan(ROSTER.length + 50);
  });
});

function find(people: readonly ContactDocument[], id: string): ContactDocument {
  const person = people.find((candidate) => candidate.id === id);
  if (!person) throw new Error(`no ${id}`);
  return person;
}
