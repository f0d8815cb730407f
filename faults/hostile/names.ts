import type { ClientId } from "@presence/protocol";
import fc from "fast-check";

/** Names with a special meaning in JavaScript, Redis, HTTP, HTML or a terminal. */
const SPECIAL_NAMES = [
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

/** Clients without a viewer that is checked. */
export const strangers: fc.Arbitrary<ClientId> = fc.nat(50).map((index) => `stranger-${index}`);

/** Values for a client id: of a checked client, of a stranger, or invalid. */
export function names(clients: readonly ClientId[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...clients) },
    { weight: 3, arbitrary: strangers },
    { weight: 3, arbitrary: fc.constantFrom(...SPECIAL_NAMES) },
    { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 80 }) },
    { weight: 1, arbitrary: fc.nat(20_000).map((length) => "x".repeat(length)) },
  );
}

/** Bytes that are no text, text that is no JSON, and JSON of unexpected shape. */
export const junk: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text.slice(0, -1))),
  fc
    .constantFrom("[".repeat(50_000), '{"a":'.repeat(10_000), `"${"x".repeat(500_000)}"`)
    .map((text) => Buffer.from(text)),
);
