import { describe, expect, it } from "vitest";
import { createChunkEncoder } from "./chunk.ts";

describe("createChunkEncoder", () => {
  it("writes the size in bytes as hexadecimal, and a line end after the data", () => {
    const encode = createChunkEncoder();
    expect(encode(Buffer.from("é: 0123456789 1234")).toString()).toBe("13\r\né: 0123456789 1234\r\n");
  });

  it("encodes the same buffer once", () => {
    const encode = createChunkEncoder();
    const bytes = Buffer.from("shared");
    expect(encode(bytes)).toBe(encode(bytes));
    expect(encode(Buffer.from("others")).toString()).toBe("6\r\nothers\r\n");
    expect(encode(bytes).toString()).toBe("6\r\nshared\r\n");
  });
});
