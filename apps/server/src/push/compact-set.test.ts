import fc from "fast-check";
import { expect, it } from "vitest";
import { CompactSet } from "./compact-set.ts";

it("contains each added member once until it is deleted, at any size", () => {
  // Mostly additions, then mostly deletions, so that the set becomes large and small again.
  const steps = fc.array(fc.tuple(fc.nat(400), fc.boolean()), { minLength: 200, maxLength: 2_000, size: "max" });
  fc.assert(
    fc.property(steps, (all) => {
      const set = new CompactSet<number>();
      const expected = new Set<number>();
      for (const [index, [member, isReversible]] of all.entries()) {
        const isGrowing = index < all.length / 2 !== (isReversible && index % 5 === 0);
        if (isGrowing && !expected.has(member)) {
          set.add(member);
          expected.add(member);
        } else if (!isGrowing && expected.has(member)) {
          set.delete(member);
          expected.delete(member);
        }
      }
      const visited: number[] = [];
      set.forEach((member) => {
        visited.push(member);
      });
      expect(visited.sort()).toEqual([...expected].sort());
      expect([...set].sort()).toEqual([...expected].sort());
      expect(set.size).toBe(expected.size);
    }),
    { numRuns: 50 },
  );
});
