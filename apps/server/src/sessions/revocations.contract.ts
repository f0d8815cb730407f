import { expect, it } from "vitest";
import type { Revocations } from "./revocations.ts";

const HOUR_MS = 3_600_000;

/** What every home of revocations does. */
export function revocationsContract(create: () => Promise<Revocations>): void {
  it("knows what was revoked, and nothing else", async () => {
    const revocations = await create();
    await revocations.add({ client: "anouk", key: "revoked", expiresAt: Date.now() + HOUR_MS });
    expect(await revocations.has("revoked")).toBe(true);
    expect(await revocations.has("other")).toBe(false);
  });

  it("forgets a token that would have ended by now", async () => {
    const revocations = await create();
    await revocations.add({ client: "anouk", key: "ended", expiresAt: Date.now() - 1 });
    await revocations.add({ client: "anouk", key: "revoked", expiresAt: Date.now() + HOUR_MS });
    expect(await revocations.has("ended")).toBe(false);
    expect(await revocations.has("revoked")).toBe(true);
  });
}
