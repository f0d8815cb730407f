import type { Presence, Status } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { departures, differences, violations } from "./checks.ts";
import { ViewerState } from "./viewer-state.ts";

const at = (version: number, epoch = "e") => ({ epoch, version });
const presence = (client: string, status: Status, since = 1): Presence => ({ client, status, since });

/** Magali's snapshot at version 10 shows Anouk ONLINE and Omar OFFLINE. */
function magali(): ViewerState {
  const state = new ViewerState("magali");
  state.applySnapshot(at(10), [presence("anouk", "ONLINE"), presence("omar", "OFFLINE")]);
  return state;
}

describe("ViewerState", () => {
  it("accepts changes that alternate and versions that increase", () => {
    const state = magali();
    state.applyChange(at(11), presence("omar", "ONLINE", 5));
    state.applyChange(at(12), presence("anouk", "OFFLINE"));
    state.applyChange(at(13), presence("anouk", "ONLINE"));
    expect(state.violations).toEqual([]);
    expect(state.statusOf("omar")).toBe("ONLINE");
    expect(state.lastId).toEqual(at(13));
    expect(state.transitions[0]).toEqual({
      client: "omar",
      status: "ONLINE",
      since: 5,
      version: 11,
      source: "event",
    });
  });

  it("reports a change to the status that the contact already has, also after a snapshot", () => {
    const state = magali();
    state.applyChange(at(11), presence("anouk", "ONLINE"));
    state.applyChange(at(12), presence("omar", "OFFLINE"));
    expect(state.violations).toEqual(["magali: anouk was already ONLINE", "magali: omar was already OFFLINE"]);
  });

  it("reports OFFLINE of a contact that was in no snapshot", () => {
    const state = magali();
    state.applyChange(at(11), presence("zoe", "OFFLINE"));
    expect(state.violations).toHaveLength(1);
  });

  it("reports a version that does not increase", () => {
    const state = magali();
    state.applyChange(at(10), presence("omar", "ONLINE"));
    state.applySnapshot(at(9), []);
    expect(state.violations).toEqual([
      "magali: a change of omar at 10 came after 10",
      "magali: a snapshot at 9 came after 10",
    ]);
  });

  it("reports a change of another epoch, and a change before the first snapshot", () => {
    const state = magali();
    state.applyChange(at(11, "f"), presence("omar", "ONLINE"));
    const early = new ViewerState("magali");
    early.applyChange(at(11), presence("omar", "ONLINE"));
    expect(state.violations).toHaveLength(1);
    expect(early.violations).toHaveLength(1);
  });

  it("reports a change of the viewer itself", () => {
    const state = magali();
    state.applyChange(at(11), presence("magali", "ONLINE"));
    expect(state.violations).toEqual(["magali: a change of itself"]);
  });

  it("accepts a snapshot of another epoch with a lower version", () => {
    const state = magali();
    state.applySnapshot(at(1, "f"), [presence("anouk", "ONLINE"), presence("omar", "OFFLINE")]);
    state.applyChange(at(2, "f"), presence("omar", "ONLINE"));
    expect(state.violations).toEqual([]);
  });
});

describe("checks", () => {
  it("list the clients that went OFFLINE, by an event or a later snapshot", () => {
    const state = magali();
    state.applyChange(at(11), presence("anouk", "OFFLINE", 7));
    state.applyChange(at(12), presence("omar", "ONLINE"));
    state.applySnapshot(at(13), [presence("omar", "OFFLINE", 8)]);
    expect(departures([state], new Set(["anouk", "omar"]))).toEqual([
      "magali saw anouk go OFFLINE at 7 (event)",
      "magali saw omar go OFFLINE at 8 (snapshot)",
    ]);
    expect(departures([state], new Set(["zoe"]))).toEqual([]);
  });

  it("collect the violations of all viewers", () => {
    const wrong = magali();
    wrong.applyChange(at(11), presence("anouk", "ONLINE"));
    expect(violations([magali(), wrong])).toEqual(wrong.violations);
  });

  it("list where a viewer differs from the leases", () => {
    const contactsOf = () => ["anouk", "omar"];
    expect(differences([magali()], contactsOf, new Set(["anouk"]))).toEqual([]);
    expect(differences([magali()], contactsOf, new Set(["omar"]))).toEqual([
      "magali sees anouk ONLINE instead of OFFLINE",
      "magali sees omar OFFLINE instead of ONLINE",
    ]);
  });
});
