import { describe, expect, it } from "vitest";
import { createChunkEncoder } from "./chunk.ts";

describe("a chunk", () => {
  it("says its size in hexadecimal, and ends with a line end", () => {
    const encode = createChunkEncoder();
    expect(encode(Buffer.from("é: 0123456789 1234")).toString()).toBe("13\r\né: 0123456789 1234\r\n");
  });

  it("is made once for bytes that are sent to many", () => {
    const encode = createChunkEncoder();
    const bytes = Buffer.from("shared");
    expect(encode(bytes)).toBe(encode(bytes));
    expect(encode(Buffer.from("others")).toString()).toBe("6\r\nothers\r\n");
    expect(encode(bytes).toString()).toBe("6\r\nshared\r\n");
  });
});
