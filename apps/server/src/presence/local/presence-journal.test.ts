import { describe, expect, it } from "vitest";
import { PresenceJournal } from "./presence-journal.ts";

describe("PresenceJournal", () => {
  it("notes changes only", () => {
    const journal = new PresenceJournal("e", 10);
    expect(journal.record("anouk", "OFFLINE", "left", 5)).toBeUndefined();
    expect(journal.record("anouk", "ONLINE", "connected", 6)).toMatchObject({
      client: "anouk",
      status: "ONLINE",
      at: 6,
    });
    expect(journal.record("anouk", "ONLINE", "connected", 7)).toBeUndefined();
    expect(journal.presenceOf("anouk")).toEqual({ client: "anouk", status: "ONLINE", since: 6 });
  });

  it("gives rising versions even where the clock stands still or goes back", () => {
    const journal = new PresenceJournal("e", 10);
    const versions = [1000, 1000, 500].map((nowMs) => journal.tick(nowMs).version);
    expect(versions).toEqual([1_000_000, 1_000_001, 1_000_002]);
  });

  it("tells by its versions the time and nothing of how much has happened", () => {
    const journal = new PresenceJournal("e", 10);
    for (let count = 0; count < 100; count += 1) {
      journal.record(`client-${count}`, "ONLINE", "connected", 1000);
    }
    expect(journal.tick(2000).version).toBe(2_000_000);
  });

  it("forgets the longest absent first", () => {
    const journal = new PresenceJournal("e", 2);
    for (const [index, client] of ["a", "b", "c"].entries()) {
      journal.record(client, "ONLINE", "connected", 10 * index + 1);
      journal.record(client, "OFFLINE", "left", 10 * index + 2);
    }
    expect(["a", "b", "c"].map((client) => journal.presenceOf(client).since)).toEqual([0, 12, 22]);
  });
});
