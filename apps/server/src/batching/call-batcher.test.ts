import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { CallBatcher } from "./call-batcher.ts";

let gate: Promise<void> | undefined;
let openGate = () => {};

/** Keeps calls pending until `openGate`. */
function holdCalls() {
  gate = new Promise((resolve) => {
    openGate = resolve;
  });
}

function createBatcher(maxBatchSize = 10, windowMs = 0) {
  const calls: (readonly string[])[] = [];
  const batcher = new CallBatcher(
    async (keys) => {
      calls.push(keys);
      await gate;
      if (keys.includes("invalid")) throw new Error("invalid key");
      return keys.join(" ");
    },
    maxBatchSize,
    windowMs,
  );
  return { calls, batcher };
}

afterEach(() => {
  gate = undefined;
});

describe("CallBatcher", () => {
  it("makes one call for all requests of one turn, with each key once", async () => {
    const { calls, batcher } = createBatcher();
    const results = await Promise.all([
      batcher.load(["anouk", "omar"]),
      batcher.load([]),
      batcher.load(["omar", "magali"]),
    ]);
    expect(calls).toEqual([["anouk", "omar", "magali"]]);
    expect(new Set(results)).toEqual(new Set(["anouk omar magali"]));
  });

  it("combines requests that arrive while a call is pending", async () => {
    const { calls, batcher } = createBatcher();
    holdCalls();
    const first = batcher.load(["anouk"]);
    await expect.poll(() => calls).toHaveLength(1);
    const second = batcher.load(["omar"]);
    await nextTurn();
    const third = batcher.load(["magali"]);
    await nextTurn();
    expect(calls).toEqual([["anouk"]]);
    openGate();
    expect(await Promise.all([first, second, third])).toEqual(["anouk", "omar magali", "omar magali"]);
  });

  it("dispatches a single request at once and combines the ones that follow within the window", async () => {
    const { calls, batcher } = createBatcher(10, 500);
    await batcher.load(["anouk"]);
    const second = batcher.load(["omar"]);
    await nextTurn();
    await nextTurn();
    const third = batcher.load(["magali"]);
    expect(calls).toEqual([["anouk"]]);
    expect(await Promise.all([second, third])).toEqual(["omar magali", "omar magali"]);
  });

  it("dispatches a full batch before the window ends", async () => {
    const { calls, batcher } = createBatcher(2, 60_000);
    await batcher.load(["anouk"]);
    await batcher.load(["omar", "magali"]);
    expect(calls).toEqual([["anouk"], ["omar", "magali"]]);
  });

  it("exceeds the maximum batch size by the keys of one request at most", async () => {
    const { calls, batcher } = createBatcher(2);
    await Promise.all([batcher.load(["a"]), batcher.load(["b", "c"]), batcher.load(["d"])]);
    expect(calls).toEqual([["a", "b", "c"], ["d"]]);
  });

  it("rejects all requests of a failed call, and no others", async () => {
    const { batcher } = createBatcher();
    const outcomes = await Promise.allSettled([batcher.load(["anouk"]), batcher.load(["invalid"])]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(batcher.load(["omar"])).resolves.toBe("omar");
  });
});
