import { expect, it } from "vitest";
import { parseContactDocument } from "./contact-document.ts";

const parse = (document: object) => parseContactDocument("anouk", JSON.stringify(document));

it("reads a document, which is named by its id where it has no name", () => {
  expect(parse({ id: "anouk", contacts: ["magali", "omar"] })).toEqual({
    id: "anouk",
    name: "anouk",
    contacts: ["magali", "omar"],
  });
});

it.each([
  [{ id: "anouk", contacts: ["magali", "../omar"] }, /not a client id.*contacts\[1\]/s],
  [{ id: "anouk", contacts: ["magali", 7] }, /not a client id.*contacts\[1\]/s],
  [{ id: "anouk", contacts: "magali" }, /not a list.*contacts/s],
  [{ id: "anouk" }, /contacts/],
  [{ id: "anouk", contacts: Array.from({ length: 100_001 }, () => "omar") }, /not a list of 100000 at the most/],
  [{ id: "an ouk", contacts: [] }, /not a client id.*id/s],
  [{ id: "omar", contacts: [] }, /its id is omar/],
])("says what is wrong with a document", (document, message) => {
  expect(() => parse(document)).toThrow(message);
});
