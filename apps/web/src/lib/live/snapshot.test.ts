import type { Presence } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { isUpdate, missedChanges, toSnapshot } from "./snapshot.ts";

const online = (client: string, since: number): Presence => ({ client, status: "ONLINE", since });
const offline = (client: string, since: number): Presence => ({ client, status: "OFFLINE", since });

describe("isUpdate", () => {
  it("accepts a newer presence", () => {
    expect(isUpdate(undefined, online("omar", 5))).toBe(true);
    expect(isUpdate(offline("omar", 4), online("omar", 5))).toBe(true);
  });

  it("rejects an older or equal presence", () => {
    expect(isUpdate(online("omar", 5), offline("omar", 4))).toBe(false);
    expect(isUpdate(online("omar", 5), online("omar", 5))).toBe(false);
  });

  it("accepts another status within the same millisecond", () => {
    expect(isUpdate(online("omar", 5), offline("omar", 5))).toBe(true);
  });

  it("accepts the first presence of a contact with 'since' 0", () => {
    expect(isUpdate(offline("omar", 0), online("omar", 5))).toBe(true);
  });
});

describe("missedChanges", () => {
  const before = toSnapshot([online("anouk", 10), offline("magali", 20), online("__proto__", 1)]);

  it("lists the contacts that changed, oldest change first", () => {
    const after = [offline("anouk", 50), online("magali", 40), offline("__proto__", 45)];
    expect(missedChanges(before, after).map(({ client }) => client)).toEqual(["magali", "__proto__", "anouk"]);
  });

  it("ignores equal statuses, contacts that came back, and new contacts", () => {
    expect(missedChanges(before, [online("anouk", 60), offline("magali", 20), online("omar", 30)])).toEqual([]);
  });

  it("ignores OFFLINE from a server that has never seen the contact", () => {
    expect(missedChanges(before, [offline("anouk", 0), offline("__proto__", 45)])).toEqual([offline("__proto__", 45)]);
  });
});
