import { describe, expect, test } from "vitest";
import { partitionOf, partitionPrefix, slotOf } from "./partitions.ts";

describe("partitions of a cluster", () => {
  // As `CLUSTER KEYSLOT` answers.
  test.each([
    ["", 0],
    ["foo", 12_182],
    ["123456789", 12_739],
    ["presence:partitions", 10_671],
  ])("a key %j has the slot that Redis gives it", (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });

  test.each([1, 2, 12, 100, 1024])("%i of them lie evenly over the slots", (count) => {
    const slots = Array.from({ length: count }, (_, partition) =>
      slotOf(partitionPrefix(partition, count).slice(1, -1)),
    );
    expect(slots.map((slot) => Math.floor((slot * count) / 16_384))).toEqual([...slots.keys()]);
  });

  test("take about as many clients each", () => {
    const sizes = Array<number>(12).fill(0);
    for (let index = 0; index < 12_000; index += 1) {
      const partition = partitionOf(`client-${index}`, 12);
      sizes[partition] = (sizes[partition] ?? 0) + 1;
    }
    expect(Math.min(...sizes)).toBeGreaterThan(850);
    expect(Math.max(...sizes)).toBeLessThan(1_150);
  });
});
