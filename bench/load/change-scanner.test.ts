import fc from "fast-check";
import { expect, it } from "vitest";
import { ChangeScanner } from "./change-scanner.ts";

const change = fc.record({ colleague: fc.integer({ min: 1, max: 99_999 }), isOnline: fc.boolean() });
const wrapping = fc.constantFrom(
  (json: string) => `id: 2m3k1ml0iovh9.1795503488333000\nevent: presence\ndata: ${json}\n\n`,
  (json: string) => `\u0081~42["presence",${json}]`,
  (json: string) => `:\n\nevent: channel\ndata: {"channel":1}\n\ndata: ${json}\n\n`,
);

it("finds each change, wherever the bytes are split", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(change, wrapping)), fc.array(fc.nat(80)), (changes, lengths) => {
      const bytes = Buffer.from(changes.map(([each, wrap]) => wrap(jsonOf(each))).join(""), "latin1");
      const found: object[] = [];
      const scanner = new ChangeScanner((colleague, isOnline) => found.push({ colleague, isOnline }));
      let start = 0;
      const shared = Buffer.alloc(bytes.length);
      for (const length of [...lengths, bytes.length]) {
        const read = bytes.copy(shared, 0, start, Math.min(bytes.length, start + length));
        scanner.scan(shared.subarray(0, read));
        start += read;
      }
      expect(found).toEqual(changes.map(([each]) => each));
    }),
  );
});

function jsonOf({ colleague, isOnline }: { colleague: number; isOnline: boolean }): string {
  const client = `colleague-${String(colleague).padStart(5, "0")}`;
  return JSON.stringify({ client, status: isOnline ? "ONLINE" : "OFFLINE", since: 1795503488333 });
}
