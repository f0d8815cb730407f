import { describe, expect, it } from "vitest";
import { isClientId } from "./client-id.ts";

describe("isClientId", () => {
  it.each(["a", "anouk", "A.b_c~d-9", "__proto__", "..", "x".repeat(64)])("accepts %j", (id) => {
    expect(isClientId(id)).toBe(true);
  });

  it.each(["", "x".repeat(65), "a/b", "a b", "a\n", "a%20b", "é", "a\u0000", 7, null, undefined, ["anouk"]])(
    "rejects %j",
    (id) => {
      expect(isClientId(id)).toBe(false);
    },
  );
});
