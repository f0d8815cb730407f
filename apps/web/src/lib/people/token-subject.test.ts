import { expect, it } from "vitest";
import { tokenSubject } from "./token-subject.ts";

function tokenOf(claims: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  return `h.${btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")}.s`;
}

it("reads the subject", () => {
  expect(tokenSubject(tokenOf({ sub: "anouk", name: "Anouk ☺" }))).toBe("anouk");
});

it.each(["", "abc", "a.b.c", "a.%%%.c", tokenOf(null), tokenOf({ sub: 7 }), tokenOf({ sub: "a/b" }), tokenOf({})])(
  "returns undefined for %j",
  (token) => {
    expect(tokenSubject(token)).toBeUndefined();
  },
);
