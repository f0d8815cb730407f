import { expect, it } from "vitest";
import { nextPerson } from "./next-person.ts";

const ROSTER = ["anouk", "magali", "omar"];

it("goes round the roster", () => {
  expect(nextPerson(ROSTER, "anouk", new Set(["anouk"]))).toBe("magali");
  expect(nextPerson(ROSTER, "omar", new Set(["omar"]))).toBe("anouk");
});

it("passes over who is in use here", () => {
  expect(nextPerson(ROSTER, "anouk", new Set(["anouk", "magali"]))).toBe("omar");
});

it("starts at the top for one who isn't on the roster", () => {
  expect(nextPerson(ROSTER, "elise", new Set(["elise"]))).toBe("anouk");
});

it("turns to guests when all are in use", () => {
  expect(nextPerson(ROSTER, "anouk", new Set([...ROSTER, "guest-1"]))).toBe("guest-2");
  expect(nextPerson([], "guest-1", new Set())).toBe("guest-2");
});
