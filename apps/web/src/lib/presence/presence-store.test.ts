import { expect, it } from "vitest";
import { withChanges, withSnapshot } from "./presence-store.ts";

const change = (client: string, status: "ONLINE" | "OFFLINE", since: number) => ({
  client,
  status,
  since,
  seenAtMs: since + 3,
  missed: false,
});

it("applies a snapshot and marks the contacts that changed while disconnected", () => {
  const { statuses } = withSnapshot(
    [
      { client: "omar", status: "ONLINE", since: 5 },
      { client: "__proto__", status: "OFFLINE", since: 7 },
    ],
    [change("__proto__", "OFFLINE", 7)],
  );
  expect([...(statuses ?? [])]).toEqual([
    ["omar", { status: "ONLINE", sinceMs: 5 }],
    ["__proto__", { status: "OFFLINE", sinceMs: 7, changedAtMs: 10 }],
  ]);
});

it("applies changes in order without modifying the previous state", () => {
  const before = withSnapshot([{ client: "omar", status: "ONLINE", since: 5 }], []);
  const after = withChanges(before, [change("omar", "OFFLINE", 8), change("omar", "ONLINE", 9)]);
  expect(after.statuses?.get("omar")).toEqual({ status: "ONLINE", sinceMs: 9, changedAtMs: 12 });
  expect(before.statuses?.get("omar")?.sinceMs).toBe(5);
});
