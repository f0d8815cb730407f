import { expect, it } from "vitest";
import type { Revocations } from "./revocations.ts";

const HOUR_MS = 3_600_000;

/** The tests of every `Revocations`. */
export function revocationsContract(create: () => Promise<Revocations>): void {
  it("has a revoked key, and no other", async () => {
    const revocations = await create();
    await revocations.add({ client: "anouk", key: "revoked", expiresAt: Date.now() + HOUR_MS });
    expect(await revocations.has("revoked")).toBe(true);
    expect(await revocations.has("other")).toBe(false);
  });

  it("forgets a token that has expired", async () => {
    const revocations = await create();
    await revocations.add({ client: "anouk", key: "expired", expiresAt: Date.now() - 1 });
    await revocations.add({ client: "anouk", key: "revoked", expiresAt: Date.now() + HOUR_MS });
    expect(await revocations.has("expired")).toBe(false);
    expect(await revocations.has("revoked")).toBe(true);
  });
}
