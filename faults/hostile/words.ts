import type { ClientId } from "@presence/protocol";
import fc from "fast-check";

/** Names that mean something to some program or other. */
const TRAPS = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "..",
  ".",
  "*",
  "?",
  "null",
  "NaN",
  "-0",
  "<img/src=x/onerror=alert(1)>",
  "anouk\r\nXADD heartbeat",
  "anouk\u0000",
  "\u202enoitcerid",
  "\ud800",
  "\u001b[2J",
];

/** Strangers, who have no stream of their own to be right about. */
export const strangers: fc.Arbitrary<ClientId> = fc.nat(50).map((index) => `stranger-${index}`);

/** What may stand where a name is meant: of somebody in the crowd, of a stranger, or none at all. */
export function names(crowd: readonly ClientId[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...crowd) },
    { weight: 3, arbitrary: strangers },
    { weight: 3, arbitrary: fc.constantFrom(...TRAPS) },
    { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 80 }) },
    { weight: 1, arbitrary: fc.nat(20_000).map((length) => "x".repeat(length)) },
  );
}

/** Bytes that are no text, and texts that are no JSON, and JSON that is not what was asked for. */
export const junk: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text.slice(0, -1))),
  fc
    .constantFrom("[".repeat(50_000), '{"a":'.repeat(10_000), `"${"x".repeat(500_000)}"`)
    .map((text) => Buffer.from(text)),
);
