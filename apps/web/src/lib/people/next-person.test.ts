import { expect, it } from "vitest";
import { nextPerson } from "./next-person.ts";

const ROSTER = ["anouk", "magali", "omar"];

it("continues at the start of the roster after its end", () => {
  expect(nextPerson(ROSTER, "anouk", new Set(["anouk"]))).toBe("magali");
  expect(nextPerson(ROSTER, "omar", new Set(["omar"]))).toBe("anouk");
});

it("skips clients that are open in this browser", () => {
  expect(nextPerson(ROSTER, "anouk", new Set(["anouk", "magali"]))).toBe("omar");
});

it("starts with the first person for a client outside the roster", () => {
  expect(nextPerson(ROSTER, "elise", new Set(["elise"]))).toBe("anouk");
});

it("returns a guest when all are open", () => {
  expect(nextPerson(ROSTER, "anouk", new Set([...ROSTER, "guest-1"]))).toBe("guest-2");
  expect(nextPerson([], "guest-1", new Set())).toBe("guest-2");
});
