import type { Presence } from "@presence/protocol";
import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeFrame, encodeSnapshot } from "./sse.ts";

const clientId = fc.stringMatching(/^[A-Za-z0-9._~-]{1,64}$/);
const presence: fc.Arbitrary<Presence> = fc.record({
  client: clientId,
  status: fc.constantFrom("ONLINE", "OFFLINE"),
  since: fc.nat(),
});

it("encodes a snapshot with the same bytes as encodeFrame", () => {
  fc.assert(
    fc.property(clientId, fc.nat(), fc.array(presence), (id, at, contacts) => {
      const frame = encodeFrame({ id, event: "snapshot", data: { at, contacts } });
      expect(encodeSnapshot(id, at, contacts).toString()).toBe(frame.toString());
    }),
  );
});
