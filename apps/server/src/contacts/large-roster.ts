import type { ClientId } from "@presence/protocol";
import type { ContactDocument } from "./contact-store.ts";

const GIVEN_NAMES = [
  "Aisha",
  "Björn",
  "Chloé",
  "Dmitri",
  "Elena",
  "Farid",
  "Grace",
  "Hugo",
  "Ingrid",
  "Jamal",
  "Katarína",
  "Liam",
  "Mei",
  "Nadia",
  "Olu",
  "Paula",
  "Quentin",
  "Rosa",
  "Siobhán",
  "Tariq",
  "Uma",
  "Viktor",
  "Wanjiru",
  "Ximena",
  "Yusuf",
  "Zofia",
];
const FAMILY_NAMES = [
  "Abebe",
  "Bianchi",
  "Castillo",
  "Dalgaard",
  "Eriksen",
  "Fontaine",
  "García",
  "Hosseini",
  "Ivanova",
  "Jensen",
  "Kowalski",
  "Laurent",
  "Moreau",
  "Nakamura",
  "Osei",
  "Petrov",
  "Quispe",
  "Rossi",
  "Silva",
  "Takahashi",
  "Usman",
  "Varga",
  "Walsh",
  "Xu",
  "Yılmaz",
  "Zimmermann",
  "Bakker",
];
const ROLES = ["Engineer", "Designer", "Analyst", "Support", "Sales", "Finance", "Operations", "Research", "Legal"];
const TIME_ZONES = [
  "America/Los_Angeles",
  "America/New_York",
  "America/Sao_Paulo",
  "Europe/London",
  "Europe/Berlin",
  "Africa/Nairobi",
  "Asia/Dubai",
  "Asia/Singapore",
  "Australia/Sydney",
  "Pacific/Auckland",
];
const NEIGHBOURS = 20;

/**
 * Adds generated colleagues to `roster`, so that each client in it has `contactCount` contacts.
 *
 * A colleague's contacts are the roster and the next `NEIGHBOURS` colleagues. The result is deterministic.
 */
export function enlargeRoster(roster: readonly ContactDocument[], contactCount: number): ContactDocument[] {
  const rosterIds = roster.map(({ id }) => id);
  const colleagueIds = Array.from({ length: Math.max(0, contactCount - roster.length + 1) }, (_, index) =>
    colleagueId(index),
  );
  return [
    ...roster.map((person) => ({
      ...person,
      contacts: [...rosterIds.filter((id) => id !== person.id), ...colleagueIds],
    })),
    ...colleagueIds.map((id, index) => ({
      id,
      name: `${at(GIVEN_NAMES, index)} ${at(FAMILY_NAMES, index)}`,
      role: at(ROLES, index),
      timeZone: at(TIME_ZONES, index),
      contacts: [...rosterIds, ...neighbours(colleagueIds, index)],
    })),
  ];
}

function colleagueId(index: number): ClientId {
  return `colleague-${String(index + 1).padStart(5, "0")}`;
}

function neighbours(ids: readonly ClientId[], index: number): ClientId[] {
  const count = Math.min(NEIGHBOURS, ids.length - 1);
  return Array.from({ length: count }, (_, step) => at(ids, index + step + 1));
}

/** The lists' lengths are coprime, so combinations of given and family names repeat late. */
function at(list: readonly string[], index: number): string {
  return list[index % list.length] ?? "";
}
