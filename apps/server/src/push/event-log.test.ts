import type { PresenceEvent } from "@presence/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventLog } from "./event-log.ts";

const EPOCH = "e";

describe("EventLog", () => {
  it("returns exactly the events after an id, or undefined", () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 10 }), gaps, fc.nat(250), (capacity, steps, requested) => {
        const log = new EventLog({ epoch: EPOCH, version: 10 }, capacity);
        const events = eventsAt(steps);
        for (const event of events) log.append(event);
        const head = { epoch: EPOCH, version: events.at(-1)?.version ?? 10 };
        const result = log.after({ epoch: EPOCH, version: requested }, head);
        if (result) expect(result).toEqual(events.filter(({ version }) => version > requested));
        if (requested < 10 || requested > head.version) expect(result).toBeUndefined();
        if (requested === head.version) expect(result).toEqual([]);
      }),
    );
  });

  it("contains at least half of its capacity", () => {
    const log = new EventLog({ epoch: EPOCH, version: 0 }, 10);
    const events = eventsAt(Array(100).fill(1));
    for (const event of events) log.append(event);
    expect(log.after({ epoch: EPOCH, version: 105 }, { epoch: EPOCH, version: 110 })).toHaveLength(5);
    expect(log.after({ epoch: EPOCH, version: 50 }, { epoch: EPOCH, version: 110 })).toBeUndefined();
  });

  it("returns undefined for another epoch", () => {
    const log = new EventLog({ epoch: EPOCH, version: 0 }, 10);
    expect(log.after({ epoch: "other", version: 5 }, { epoch: EPOCH, version: 10 })).toBeUndefined();
    expect(log.after({ epoch: EPOCH, version: 5 }, { epoch: "other", version: 10 })).toBeUndefined();
  });
});

/** Events whose versions increase from 10 by these steps. */
function eventsAt(steps: readonly number[]): PresenceEvent[] {
  let version = 10;
  return steps.map((step) => {
    version += step;
    return { client: "anouk", status: "ONLINE", at: 1, reason: "connected", version, guest: false };
  });
}
