import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { CallBatcher } from "./call-batcher.ts";

let gate: Promise<void> | undefined;
let answerNow = () => {};

function holdAnswers() {
  gate = new Promise((resolve) => {
    answerNow = resolve;
  });
}

function recorded(maxNames = 10, windowMs = 0) {
  const asked: (readonly string[])[] = [];
  const calls = new CallBatcher(
    async (names) => {
      asked.push(names);
      await gate;
      if (names.includes("nobody")) throw new Error("there is nobody");
      return names.join(" ");
    },
    maxNames,
    windowMs,
  );
  return { asked, calls };
}

afterEach(() => {
  gate = undefined;
});

describe("CallBatcher", () => {
  it("asks once for all who ask in one turn, and for each name once", async () => {
    const { asked, calls } = recorded();
    const answers = await Promise.all([calls.ask(["anouk", "omar"]), calls.ask([]), calls.ask(["omar", "magali"])]);
    expect(asked).toEqual([["anouk", "omar", "magali"]]);
    expect(new Set(answers)).toEqual(new Set(["anouk omar magali"]));
  });

  it("asks together for all who ask while a call is under way", async () => {
    const { asked, calls } = recorded();
    holdAnswers();
    const first = calls.ask(["anouk"]);
    await expect.poll(() => asked).toHaveLength(1);
    const second = calls.ask(["omar"]);
    await nextTurn();
    const third = calls.ask(["magali"]);
    await nextTurn();
    expect(asked).toEqual([["anouk"]]);
    answerNow();
    expect(await Promise.all([first, second, third])).toEqual(["anouk", "omar magali", "omar magali"]);
  });

  it("asks at once for who comes alone, and together for those who follow in quick succession", async () => {
    const { asked, calls } = recorded(10, 300);
    await calls.ask(["anouk"]);
    const second = calls.ask(["omar"]);
    await nextTurn();
    await nextTurn();
    const third = calls.ask(["magali"]);
    expect(asked).toEqual([["anouk"]]);
    expect(await Promise.all([second, third])).toEqual(["omar magali", "omar magali"]);
  });

  it("waits for nobody where a call has as many names as it may", async () => {
    const { asked, calls } = recorded(2, 60_000);
    await calls.ask(["anouk"]);
    await calls.ask(["omar", "magali"]);
    expect(asked).toEqual([["anouk"], ["omar", "magali"]]);
  });

  it("makes no call longer than by who comes last", async () => {
    const { asked, calls } = recorded(2);
    await Promise.all([calls.ask(["a"]), calls.ask(["b", "c"]), calls.ask(["d"])]);
    expect(asked).toEqual([["a", "b", "c"], ["d"]]);
  });

  it("fails for all whose call failed, and for no others", async () => {
    const { calls } = recorded();
    const failed = await Promise.allSettled([calls.ask(["anouk"]), calls.ask(["nobody"])]);
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(calls.ask(["omar"])).resolves.toBe("omar");
  });
});
