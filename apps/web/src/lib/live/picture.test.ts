import type { Presence } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { isNews, missedChanges, pictureOf } from "./picture.ts";

const online = (client: string, since: number): Presence => ({ client, status: "ONLINE", since });
const offline = (client: string, since: number): Presence => ({ client, status: "OFFLINE", since });

describe("isNews", () => {
  it("takes what is newer", () => {
    expect(isNews(undefined, online("omar", 5))).toBe(true);
    expect(isNews(offline("omar", 4), online("omar", 5))).toBe(true);
  });

  it("ignores what is older, or the same again", () => {
    expect(isNews(online("omar", 5), offline("omar", 4))).toBe(false);
    expect(isNews(online("omar", 5), online("omar", 5))).toBe(false);
  });

  it("takes a change within one millisecond", () => {
    expect(isNews(online("omar", 5), offline("omar", 5))).toBe(true);
  });

  it("takes a first appearance of one who was never seen", () => {
    expect(isNews(offline("omar", 0), online("omar", 5))).toBe(true);
  });
});

describe("missedChanges", () => {
  const before = pictureOf([online("anouk", 10), offline("magali", 20), online("__proto__", 1)]);

  it("lists who changed meanwhile, oldest first", () => {
    const after = [offline("anouk", 50), online("magali", 40), offline("__proto__", 45)];
    expect(missedChanges(before, after).map(({ client }) => client)).toEqual(["magali", "__proto__", "anouk"]);
  });

  it("finds no news in a snapshot that says the same, or in a round trip, or in new contacts", () => {
    expect(missedChanges(before, [online("anouk", 60), offline("magali", 20), online("omar", 30)])).toEqual([]);
  });

  it("takes no leaving from a server that has never seen the contact", () => {
    expect(missedChanges(before, [offline("anouk", 0), offline("__proto__", 45)])).toEqual([offline("__proto__", 45)]);
  });
});
