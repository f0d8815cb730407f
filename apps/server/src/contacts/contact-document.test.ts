import { expect, it } from "vitest";
import { parseContactDocument } from "./contact-document.ts";

const parse = (document: object) => parseContactDocument("anouk", JSON.stringify(document));

it("uses the id as the name if the document has no name", () => {
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
  [{ id: "anouk", contacts: Array.from({ length: 100_001 }, () => "omar") }, /not a list of at most 100000/],
  [{ id: "an ouk", contacts: [] }, /not a client id.*id/s],
  [{ id: "omar", contacts: [] }, /its id is omar/],
])("reports what is wrong with a document", (document, message) => {
  expect(() => parse(document)).toThrow(message);
});
