import { expect, it } from "vitest";
import { EMPTY_ACTIVITY, withSightings } from "./activity-store.ts";

const sighting = (client: string, status: "ONLINE" | "OFFLINE", since: number) => ({
  client,
  status,
  since,
  seenAtMs: since + 5,
  missed: false,
});

it("puts what happened last on top, also when it is learnt late", () => {
  const state = withSightings(withSightings(EMPTY_ACTIVITY, [sighting("omar", "ONLINE", 50)]), [
    sighting("anouk", "OFFLINE", 40),
    sighting("magali", "ONLINE", 60),
  ]);
  expect(state.entries.map(({ client }) => client)).toEqual(["magali", "omar", "anouk"]);
});

it("enters nothing twice", () => {
  const once = withSightings(EMPTY_ACTIVITY, [sighting("omar", "ONLINE", 50)]);
  expect(withSightings(once, [sighting("omar", "ONLINE", 50)])).toBe(once);
});

it("is bounded", () => {
  const many = Array.from({ length: 500 }, (_, index) => sighting(`guest-${index}`, "ONLINE", index));
  const { entries } = withSightings(EMPTY_ACTIVITY, many);
  expect(entries).toHaveLength(200);
  expect(entries[0]?.client).toBe("guest-499");
});
