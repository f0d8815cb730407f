import { isClientId } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import type { ContactDocument } from "./contact-store.ts";
import { enlargeRoster } from "./large-roster.ts";
import { ROSTER } from "./roster.ts";

describe("enlargeRoster", () => {
  it.each([ROSTER.length, 500, 5_000])("gives everybody in the roster %i contacts", (count) => {
    const people = enlargeRoster(ROSTER, count);
    for (const { id } of ROSTER) expect(find(people, id).contacts).toHaveLength(count);
    expect(people).toHaveLength(count + 1);
  });

  it("leaves nobody of the roster out of the others' lists where few are asked for", () => {
    const people = enlargeRoster(ROSTER, 1);
    expect(people).toHaveLength(ROSTER.length);
    for (const { contacts } of people) expect(contacts).toHaveLength(ROSTER.length - 1);
  });

  it("makes the same people each time", () => {
    expect(enlargeRoster(ROSTER, 300)).toEqual(enlargeRoster(ROSTER, 300));
  });

  it("leaves the roster itself as it is", () => {
    const before = structuredClone(ROSTER);
    enlargeRoster(ROSTER, 100);
    expect(ROSTER).toEqual(before);
  });

  it("makes people who are legal, named, and placed in real time zones", () => {
    const people = enlargeRoster(ROSTER, 2_000);
    const ids = new Set(people.map(({ id }) => id));
    expect(ids.size).toBe(people.length);
    for (const { id, name, role, timeZone, contacts } of people) {
      expect(isClientId(id)).toBe(true);
      expect(name).toMatch(/\S+ \S+/);
      expect(role).toBeTruthy();
      expect(contacts).not.toContain(id);
      expect(new Set(contacts).size).toBe(contacts.length);
      expect(contacts.every((contact) => ids.has(contact))).toBe(true);
      expect(() => new Intl.DateTimeFormat("en", { timeZone })).not.toThrow();
    }
  });

  it("rarely gives two people the same name", () => {
    const people = enlargeRoster(ROSTER, 600);
    expect(new Set(people.map(({ name }) => name)).size).toBe(people.length);
  });

  it("lets a colleague see the roster and some, not all, of the other colleagues", () => {
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
