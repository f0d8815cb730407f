import { isClientId } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { ROSTER } from "./roster.ts";

const ids = ROSTER.map(({ id }) => id);

describe("the roster", () => {
  it("holds about a dozen people, each once", () => {
    expect(ROSTER.length).toBeGreaterThanOrEqual(10);
    expect(ROSTER.length).toBeLessThanOrEqual(15);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    ["anouk", ["magali", "omar"]],
    ["magali", ["anouk", "omar"]],
    ["omar", ["anouk", "magali"]],
  ])("shows %s the other two of the three-client demo", (id, others) => {
    expect(ROSTER.find((person) => person.id === id)?.contacts).toEqual(expect.arrayContaining(others));
  });

  it("has lists that all differ", () => {
    const lists = ROSTER.map(({ contacts }) => [...contacts].sort().join());
    expect(new Set(lists).size).toBe(lists.length);
  });

  it("has somebody who sees a person that doesn't see them back", () => {
    const isOneSided = ROSTER.some(({ id, contacts }) =>
      contacts.some((contact) => !ROSTER.find((other) => other.id === contact)?.contacts.includes(id)),
    );
    expect(isOneSided).toBe(true);
  });

  it.each(ROSTER)("describes $id fully and legally", ({ id, name, role, timeZone, contacts }) => {
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
