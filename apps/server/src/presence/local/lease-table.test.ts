import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LeaseTable } from "./lease-table.ts";

const DURATION_MS = 15;

describe("LeaseTable", () => {
  it("keeps a lease up to its deadline and not beyond", () => {
    const leases = new LeaseTable(DURATION_MS);
    leases.refresh("anouk", 100);
    expect(leases.takeExpired(114)).toEqual([]);
    expect(leases.takeExpired(115)).toEqual([{ client: "anouk", deadlineMs: 115 }]);
    expect(leases.takeExpired(1000)).toEqual([]);
  });

  it("does what a table of deadlines does, whatever the order of calls", () => {
    const client = fc.constantFrom("a", "b", "c", "d");
    const step = fc.oneof(
      fc.record({ kind: fc.constant("refresh" as const), client }),
      fc.record({ kind: fc.constant("end" as const), client }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const leases = new LeaseTable(DURATION_MS);
        const model = new Map<string, number>();
        let nowMs = 0;
        for (const next of steps) {
          if (next.kind === "refresh") {
            expect(leases.refresh(next.client, nowMs)).toBe(!model.has(next.client));
            model.set(next.client, nowMs + DURATION_MS);
          } else if (next.kind === "end") {
            expect(leases.end(next.client)).toBe(model.delete(next.client));
          } else {
            nowMs += next.ms;
            const due = [...model].filter(([, deadlineMs]) => deadlineMs <= nowMs).map(([name]) => name);
            expect(new Set(leases.takeExpired(nowMs).map((lease) => lease.client))).toEqual(new Set(due));
            for (const name of due) model.delete(name);
          }
          expect(leases.nextDeadlineMs()).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
        }
      }),
    );
  });
});
