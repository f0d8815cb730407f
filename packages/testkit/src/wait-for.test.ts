import { expect, it } from "vitest";
import { waitFor } from "./wait-for.ts";

it("resolves with the elapsed time when the condition becomes true", async () => {
  let polls = 0;
  const elapsedMs = await waitFor("the third poll", () => ++polls === 3);
  expect(polls).toBe(3);
  expect(elapsedMs).toBeGreaterThan(0);
});

it("throws an error that names the condition after the timeout", async () => {
  await expect(waitFor("rain", async () => false, { timeoutMs: 10 })).rejects.toThrow("Timed out after 10 ms: rain.");
});
