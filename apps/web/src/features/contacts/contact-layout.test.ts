import type { Profile } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import type { ContactPresence } from "../../lib/presence/presence-store.ts";
import {
  countMoves,
  countStatuses,
  layoutContacts,
  prepareEntries,
  type Section,
  type Statuses,
} from "./contact-layout.ts";

const PEOPLE: Profile[] = [
  { id: "omar", name: "Omar Haddad", role: "Engineer" },
  { id: "elise", name: "Élise Martin", role: "Designer" },
  { id: "anouk", name: "Anouk Visser" },
  { id: "guest-10", name: "guest-10", guest: true },
  { id: "guest-9", name: "guest-9", guest: true },
];

const online: ContactPresence = { status: "ONLINE", sinceMs: 1 };
const offline: ContactPresence = { status: "OFFLINE", sinceMs: 1 };
const ALL = { search: "", filter: "all" } as const;

const entries = prepareEntries(PEOPLE);
const statuses: Statuses = new Map([
  ["omar", online],
  ["elise", offline],
  ["anouk", online],
  ["guest-10", offline],
]);

function outline(sections: Section[]): [string, string[]][] {
  return sections.map((section) => [section.status, section.entries.map(({ profile }) => profile.id)]);
}

describe("layoutContacts", () => {
  it("lists online contacts first and sorts by name, accents and numbers included", () => {
    expect(outline(layoutContacts(entries, statuses, ALL))).toEqual([
      ["ONLINE", ["anouk", "omar"]],
      ["OFFLINE", ["elise", "guest-10"]],
      ["UNKNOWN", ["guest-9"]],
    ]);
  });

  it("lists all contacts as unknown before the first snapshot", () => {
    expect(outline(layoutContacts(entries, undefined, ALL))).toEqual([
      ["UNKNOWN", ["anouk", "elise", "guest-9", "guest-10", "omar"]],
    ]);
  });

  it("keeps an empty online section in an unfiltered list only", () => {
    const quiet: Statuses = new Map([["elise", offline]]);
    const some = entries.filter(({ profile }) => profile.id === "elise");
    expect(outline(layoutContacts(some, quiet, ALL))).toEqual([
      ["ONLINE", []],
      ["OFFLINE", ["elise"]],
    ]);
    expect(outline(layoutContacts(some, quiet, { ...ALL, search: "e" }))).toEqual([["OFFLINE", ["elise"]]]);
    expect(layoutContacts([], quiet, ALL)).toEqual([]);
  });

  it("finds all words in any order in name, role and id, ignoring accents and case", () => {
    expect(outline(layoutContacts(entries, statuses, { ...ALL, search: "martin ELI" }))).toEqual([
      ["OFFLINE", ["elise"]],
    ]);
    expect(outline(layoutContacts(entries, statuses, { ...ALL, search: "engin" }))).toEqual([["ONLINE", ["omar"]]]);
    expect(layoutContacts(entries, statuses, { ...ALL, search: "absent" })).toEqual([]);
  });

  it("filters by status", () => {
    expect(outline(layoutContacts(entries, statuses, { search: "", filter: "online" }))).toEqual([
      ["ONLINE", ["anouk", "omar"]],
    ]);
  });
});

it("counts contacts by status", () => {
  expect(countStatuses(entries, statuses)).toEqual({ ONLINE: 2, OFFLINE: 2, UNKNOWN: 1 });
});

it("counts the contacts that will move", () => {
  const paused = { entries, statuses };
  const now = {
    entries: prepareEntries([...PEOPLE.filter(({ id }) => id !== "guest-9"), { id: "new", name: "New" }]),
    statuses: new Map([...statuses, ["omar", offline], ["new", online]] as const),
  };
  expect(countMoves(paused, paused)).toBe(0);
  expect(countMoves(paused, now)).toBe(3);
  expect(countMoves(paused, { ...paused, statuses: now.statuses }), "of the listed contacts").toBe(1);
});
