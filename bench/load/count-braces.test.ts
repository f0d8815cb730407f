import fc from "fast-check";
import { expect, it } from "vitest";
import { countBraces } from "./count-braces.ts";

const nearBraces = fc.constantFrom(0x00, 0x7a, 0x7b, 0x7c, 0x7f, 0x80, 0xfa, 0xfb, 0xff);

it("counts what a loop over the bytes counts", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(nearBraces, fc.nat(255)), { maxLength: 40 }), fc.nat(40), (bytes, length) => {
      const buffer = Buffer.from(new Uint8Array(bytes).buffer);
      const read = Math.min(length, bytes.length);
      expect(countBraces(buffer, read)).toBe(bytes.slice(0, read).filter((byte) => byte === 0x7b).length);
    }),
  );
});
