import type { Presence, Status } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { departures, differences, violations } from "./verdict.ts";
import { ViewerPicture } from "./viewer-picture.ts";

const at = (version: number, epoch = "e") => ({ epoch, version });
const presence = (client: string, status: Status, since = 1): Presence => ({ client, status, since });

/** Magali has been shown Anouk online and Omar offline, at version 10. */
function magali(): ViewerPicture {
  const picture = new ViewerPicture("magali");
  picture.takeSnapshot(at(10), [presence("anouk", "ONLINE"), presence("omar", "OFFLINE")]);
  return picture;
}

describe("what a viewer is told", () => {
  it("is right where changes alternate and versions rise", () => {
    const picture = magali();
    picture.takeChange(at(11), presence("omar", "ONLINE", 5));
    picture.takeChange(at(12), presence("anouk", "OFFLINE"));
    picture.takeChange(at(13), presence("anouk", "ONLINE"));
    expect(picture.violations).toEqual([]);
    expect(picture.statusOf("omar")).toBe("ONLINE");
    expect(picture.lastId).toEqual(at(13));
    expect(picture.transitions[0]).toEqual({
      client: "omar",
      status: "ONLINE",
      since: 5,
      version: 11,
      learnedBy: "event",
    });
  });

  it("is wrong where somebody comes twice, be it after a snapshot", () => {
    const picture = magali();
    picture.takeChange(at(11), presence("anouk", "ONLINE"));
    picture.takeChange(at(12), presence("omar", "OFFLINE"));
    expect(picture.violations).toEqual([
      "magali: anouk was ONLINE already, and is told to be again",
      "magali: omar was OFFLINE already, and is told to be again",
    ]);
  });

  it("is wrong where somebody goes whom no snapshot named", () => {
    const picture = magali();
    picture.takeChange(at(11), presence("zoe", "OFFLINE"));
    expect(picture.violations).toHaveLength(1);
  });

  it("is wrong where a version doesn't rise", () => {
    const picture = magali();
    picture.takeChange(at(10), presence("omar", "ONLINE"));
    picture.takeSnapshot(at(9), []);
    expect(picture.violations).toEqual([
      "magali: a change of omar at 10 came after 10",
      "magali: a snapshot at 9 came after 10",
    ]);
  });

  it("is wrong where a change is of another epoch, or comes before any snapshot", () => {
    const picture = magali();
    picture.takeChange(at(11, "f"), presence("omar", "ONLINE"));
    const early = new ViewerPicture("magali");
    early.takeChange(at(11), presence("omar", "ONLINE"));
    expect(picture.violations).toHaveLength(1);
    expect(early.violations).toHaveLength(1);
  });

  it("is wrong where it is about the viewer", () => {
    const picture = magali();
    picture.takeChange(at(11), presence("magali", "ONLINE"));
    expect(picture.violations).toEqual(["magali: it was told of itself"]);
  });

  it("may begin anew with a snapshot of another epoch, and a lower version", () => {
    const picture = magali();
    picture.takeSnapshot(at(1, "f"), [presence("anouk", "ONLINE"), presence("omar", "OFFLINE")]);
    picture.takeChange(at(2, "f"), presence("omar", "ONLINE"));
    expect(picture.violations).toEqual([]);
  });
});

describe("the verdict", () => {
  it("names who went, be it that only a later snapshot showed it", () => {
    const picture = magali();
    picture.takeChange(at(11), presence("anouk", "OFFLINE", 7));
    picture.takeChange(at(12), presence("omar", "ONLINE"));
    picture.takeSnapshot(at(13), [presence("omar", "OFFLINE", 8)]);
    expect(departures([picture], new Set(["anouk", "omar"]))).toEqual([
      "magali saw anouk go at 7 (by an event)",
      "magali saw omar go at 8 (by a snapshot)",
    ]);
    expect(departures([picture], new Set(["zoe"]))).toEqual([]);
  });

  it("gathers what was wrong with anyone's telling", () => {
    const wrong = magali();
    wrong.takeChange(at(11), presence("anouk", "ONLINE"));
    expect(violations([magali(), wrong])).toEqual(wrong.violations);
  });

  it("tells where a picture differs from the leases", () => {
    const contactsOf = () => ["anouk", "omar"];
    expect(differences([magali()], contactsOf, new Set(["anouk"]))).toEqual([]);
    expect(differences([magali()], contactsOf, new Set(["omar"]))).toEqual([
      "magali sees anouk ONLINE, who is OFFLINE",
      "magali sees omar OFFLINE, who is ONLINE",
    ]);
  });
});
