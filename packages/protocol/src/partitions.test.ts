import { describe, expect, test } from "vitest";
import { partitionOf, partitionPrefix, slotOf } from "./partitions.ts";

describe("slotOf", () => {
  // The expected slots are the replies of `CLUSTER KEYSLOT`.
  test.each([
    ["", 0],
    ["foo", 12_182],
    ["123456789", 12_739],
    ["presence:partitions", 10_671],
  ])("returns the slot of the key %j", (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });
});

describe("partitions of a cluster", () => {
  test.each([1, 2, 12, 100, 1024])("%i partitions are spread evenly over the slots", (count) => {
    const slots = Array.from({ length: count }, (_, partition) =>
      slotOf(partitionPrefix(partition, count).slice(1, -1)),
    );
    expect(slots.map((slot) => Math.floor((slot * count) / 16_384))).toEqual([...slots.keys()]);
  });

  test("keep each client in its partition across releases", () => {
    const partitions = ["anouk", "magali", "omar", "client-1", "A.b_c~d-9"].map((client) => partitionOf(client, 12));
    expect(partitions).toEqual([2, 10, 4, 5, 7]);
  });

  test("have about the same number of clients", () => {
    const sizes = Array<number>(12).fill(0);
    for (let index = 0; index < 12_000; index += 1) {
      const partition = partitionOf(`client-${index}`, 12);
      sizes[partition] = (sizes[partition] ?? 0) + 1;
    }
    expect(Math.min(...sizes)).toBeGreaterThan(850);
    expect(Math.max(...sizes)).toBeLessThan(1_150);
  });
});
