import { describe } from "vitest";
import { MemoryRevocations } from "./memory-revocations.ts";
import { revocationsContract } from "./revocations.contract.ts";

describe("revocations in memory", () => {
  revocationsContract(() => Promise.resolve(new MemoryRevocations()));
});
