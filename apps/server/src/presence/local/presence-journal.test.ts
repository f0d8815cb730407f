import type { Status } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { PresenceJournal } from "./presence-journal.ts";

describe("PresenceJournal", () => {
  it("records changes only", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxOfflineClients: 10 });
    expect(record(journal, "anouk", "OFFLINE", 5)).toBeUndefined();
    expect(record(journal, "anouk", "ONLINE", 6)).toMatchObject({
      client: "anouk",
      status: "ONLINE",
      at: 6,
    });
    expect(record(journal, "anouk", "ONLINE", 7)).toBeUndefined();
    expect(journal.presenceOf("anouk")).toMatchObject({ client: "anouk", status: "ONLINE", since: 6, version: 6000 });
  });

  it("increases the version even if the clock stops or goes back", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxOfflineClients: 10 });
    const versions = [1000, 1000, 500].map((nowMs) => journal.tick(nowMs).version);
    expect(versions).toEqual([1_000_000, 1_000_001, 1_000_002]);
  });

  it("does not reveal the number of events in its versions", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxOfflineClients: 10 });
    for (let count = 0; count < 100; count += 1) {
      record(journal, `client-${count}`, "ONLINE", 1000);
    }
    expect(journal.tick(2000).version).toBe(2_000_000);
  });

  it("reports the version of the last evicted change", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxOfflineClients: 1 });
    expect(journal.completeSince).toBe(journal.head.version);
    record(journal, "guest", "ONLINE", 1);
    expect([...journal.guestsOnline]).toEqual(["guest"]);
    const guestOffline = record(journal, "guest", "OFFLINE", 2);
    expect([...journal.guestsOnline]).toEqual([]);
    expect(journal.completeSince).toBe(guestOffline?.version);
    record(journal, "anouk", "ONLINE", 3);
    const anoukOffline = record(journal, "anouk", "OFFLINE", 4);
    expect(journal.completeSince).toBe(guestOffline?.version);
    record(journal, "omar", "ONLINE", 5);
    record(journal, "omar", "OFFLINE", 6);
    expect(journal.completeSince).toBe(anoukOffline?.version);
  });

  it("evicts the client longest offline first", () => {
    const journal = new PresenceJournal({ epoch: "e", startedMs: 0, maxOfflineClients: 2 });
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
