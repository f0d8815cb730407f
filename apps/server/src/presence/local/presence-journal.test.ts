import type { Status } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { PresenceJournal } from "./presence-journal.ts";

describe("PresenceJournal", () => {
  it("notes changes only", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxAbsent: 10 });
    expect(record(journal, "anouk", "OFFLINE", 5)).toBeUndefined();
    expect(record(journal, "anouk", "ONLINE", 6)).toMatchObject({
      client: "anouk",
      status: "ONLINE",
      at: 6,
    });
    expect(record(journal, "anouk", "ONLINE", 7)).toBeUndefined();
    expect(journal.presenceOf("anouk")).toMatchObject({ client: "anouk", status: "ONLINE", since: 6, version: 6000 });
  });

  it("gives rising versions even where the clock stands still or goes back", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxAbsent: 10 });
    const versions = [1000, 1000, 500].map((nowMs) => journal.tick(nowMs).version);
    expect(versions).toEqual([1_000_000, 1_000_001, 1_000_002]);
  });

  it("tells by its versions the time and nothing of how much has happened", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxAbsent: 10 });
    for (let count = 0; count < 100; count += 1) {
      record(journal, `client-${count}`, "ONLINE", 1000);
    }
    expect(journal.tick(2000).version).toBe(2_000_000);
  });

  it("knows up to where it has forgotten something", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxAbsent: 1 });
    expect(journal.forgottenVersion).toBe(journal.head.version);
    record(journal, "guest", "ONLINE", 1);
    expect([...journal.guestsOnline]).toEqual(["guest"]);
    const left = record(journal, "guest", "OFFLINE", 2);
    expect([...journal.guestsOnline]).toEqual([]);
    expect(journal.forgottenVersion).toBe(left?.version);
    record(journal, "anouk", "ONLINE", 3);
    const absent = record(journal, "anouk", "OFFLINE", 4);
    expect(journal.forgottenVersion).toBe(left?.version);
    record(journal, "omar", "ONLINE", 5);
    record(journal, "omar", "OFFLINE", 6);
    expect(journal.forgottenVersion).toBe(absent?.version);
  });

  it("forgets the longest absent first", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxAbsent: 2 });
    for (const [index, client] of ["a", "b", "c"].entries()) {
      record(journal, client, "ONLINE", 10 * index + 1);
      record(journal, client, "OFFLINE", 10 * index + 2);
    }
    expect(["a", "b", "c"].map((client) => journal.presenceOf(client).since)).toEqual([0, 12, 22]);
  });
});

function record(journal: PresenceJournal, client: string, status: Status, nowMs: number) {
  const reason = status === "ONLINE" ? "connected" : "left";
  return journal.record({ client, status, reason, guest: client === "guest" }, nowMs);
}
