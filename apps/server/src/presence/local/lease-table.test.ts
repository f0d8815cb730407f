import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LeaseTable } from "./lease-table.ts";

const DURATION_MS = 15;

describe("LeaseTable", () => {
  it("keeps a lease until its deadline", () => {
    const leases = new LeaseTable(DURATION_MS);
    leases.renew("anouk", 100);
    expect(leases.takeExpired(114)).toEqual([]);
    expect(leases.takeExpired(115)).toEqual([{ client: "anouk", deadlineMs: 115 }]);
    expect(leases.takeExpired(1000)).toEqual([]);
  });

  it("behaves like a map of deadlines for any order of calls", () => {
    const client = fc.constantFrom("a", "b", "c", "d");
    const step = fc.oneof(client.map(renew), client.map(end), fc.nat(20).map(wait));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const run = { leases: new LeaseTable(DURATION_MS), model: new Map<string, number>(), nowMs: 0 };
        for (const take of steps) {
          take(run);
          expect(run.leases.nextDeadlineMs()).toBe(run.model.size === 0 ? undefined : Math.min(...run.model.values()));
        }
      }),
    );
  });
});

/** The table under test, and a model: the deadline of each client. */
interface Run {
  leases: LeaseTable;
  model: Map<string, number>;
  nowMs: number;
}

function renew(client: string) {
  return ({ leases, model, nowMs }: Run) => {
    expect(leases.renew(client, nowMs)).toBe(!model.has(client));
    model.set(client, nowMs + DURATION_MS);
  };
}

function end(client: string) {
  return ({ leases, model }: Run) => expect(leases.end(client)).toBe(model.delete(client));
}

function wait(ms: number) {
  return (run: Run) => {
    run.nowMs += ms;
    const due = [...run.model].filter(([, deadlineMs]) => deadlineMs <= run.nowMs).map(([client]) => client);
    expect(
      run.leases
        .takeExpired(run.nowMs)
        .map(({ client }) => client)
        .sort(),
    ).toEqual(due.sort());
    for (const client of due) run.model.delete(client);
  };
}
