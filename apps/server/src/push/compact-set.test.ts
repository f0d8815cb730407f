import fc from "fast-check";
import { expect, it } from "vitest";
import { CompactSet } from "./compact-set.ts";

it("has just those who were added and not deleted, once each, whether they are few or many", () => {
  // Mostly additions first, then mostly deletions, so that it becomes large, and small again.
  const steps = fc.array(fc.tuple(fc.nat(400), fc.boolean()), { minLength: 200, maxLength: 2_000, size: "max" });
  fc.assert(
    fc.property(steps, (all) => {
      const group = new CompactSet<number>();
      const expected = new Set<number>();
      for (const [index, [member, mayTurn]] of all.entries()) {
        const isGrowing = index < all.length / 2 !== (mayTurn && index % 5 === 0);
        if (isGrowing && !expected.has(member)) {
          group.add(member);
          expected.add(member);
        } else if (!isGrowing && expected.has(member)) {
          group.delete(member);
          expected.delete(member);
        }
      }
      const visited: number[] = [];
      group.forEach((member) => {
        visited.push(member);
      });
      expect(visited.sort()).toEqual([...expected].sort());
      expect([...group].sort()).toEqual([...expected].sort());
      expect(group.size).toBe(expected.size);
    }),
    { numRuns: 50 },
  );
});
