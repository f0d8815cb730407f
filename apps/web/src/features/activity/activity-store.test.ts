import { expect, it } from "vitest";
import { EMPTY_ACTIVITY, withChanges } from "./activity-store.ts";

const change = (client: string, status: "ONLINE" | "OFFLINE", since: number) => ({
  client,
  status,
  since,
  seenAtMs: since + 5,
  missed: false,
});

it("sorts by time, the latest first, regardless of the order of arrival", () => {
  const state = withChanges(withChanges(EMPTY_ACTIVITY, [change("omar", "ONLINE", 50)]), [
    change("anouk", "OFFLINE", 40),
    change("magali", "ONLINE", 60),
  ]);
  expect(state.entries.map(({ client }) => client)).toEqual(["magali", "omar", "anouk"]);
});

it("ignores a change that it has already", () => {
  const once = withChanges(EMPTY_ACTIVITY, [change("omar", "ONLINE", 50)]);
  expect(withChanges(once, [change("omar", "ONLINE", 50)])).toBe(once);
});

it("keeps the latest 200 entries", () => {
  const many = Array.from({ length: 500 }, (_, index) => change(`guest-${index}`, "ONLINE", index));
  const { entries } = withChanges(EMPTY_ACTIVITY, many);
  expect(entries).toHaveLength(200);
  expect(entries[0]?.client).toBe("guest-499");
});
