import { expect, it } from "vitest";
import { withChanges, withPicture } from "./presence-store.ts";

const sighting = (client: string, status: "ONLINE" | "OFFLINE", since: number) => ({
  client,
  status,
  since,
  seenAtMs: since + 3,
  missed: false,
});

it("starts from a snapshot and marks who changed while nobody looked", () => {
  const { statuses } = withPicture(
    [
      { client: "omar", status: "ONLINE", since: 5 },
      { client: "__proto__", status: "OFFLINE", since: 7 },
    ],
    [sighting("__proto__", "OFFLINE", 7)],
  );
  expect([...(statuses ?? [])]).toEqual([
    ["omar", { status: "ONLINE", sinceMs: 5 }],
    ["__proto__", { status: "OFFLINE", sinceMs: 7, changedAtMs: 10 }],
  ]);
});

it("lays changes on top, the last one wins, and leaves the state before as it was", () => {
  const before = withPicture([{ client: "omar", status: "ONLINE", since: 5 }], []);
  const after = withChanges(before, [sighting("omar", "OFFLINE", 8), sighting("omar", "ONLINE", 9)]);
  expect(after.statuses?.get("omar")).toEqual({ status: "ONLINE", sinceMs: 9, changedAtMs: 12 });
  expect(before.statuses?.get("omar")?.sinceMs).toBe(5);
});
