import { describe, expect, it, vi } from "vitest";
import { presencePlatformContract } from "../presence-platform.contract.ts";
import { type LocalPresenceOptions, LocalPresencePlatform } from "./local-presence-platform.ts";

describe("LocalPresencePlatform", () => {
  presencePlatformContract((options) => Promise.resolve(create(options)));

  it("renews the leases of connected clients after the process was suspended", async () => {
    const platform = create({ heartbeatIntervalMs: 100 });
    const changes: string[] = [];
    platform.subscribe({
      onEvents: (events) => changes.push(...events.map(({ client, status }) => `${client} ${status}`)),
      onGap: () => {},
      onLost: () => {},
    });
    platform.connect("anouk");
    platform.connect("magali");
    platform.disconnect("magali");
    blockFor(400);
    await vi.waitFor(() => expect(changes).toContain("magali OFFLINE"));
    expect(changes).not.toContain("anouk OFFLINE");
    await platform.close();
  });

  it("reports the lag of each OFFLINE event", async () => {
    const lagsMs: number[] = [];
    const platform = create({ heartbeatIntervalMs: 100, onOfflineLag: (lagMs) => lagsMs.push(lagMs) });
    platform.connect("anouk");
    platform.disconnect("anouk");
    await vi.waitFor(() => expect(lagsMs).toHaveLength(1), { timeout: 5_000 });
    expect(lagsMs[0]).toBeGreaterThanOrEqual(0);
    await platform.close();
  });

  it("starts a new epoch for each instance", () => {
    const [first, second] = [1, 2].map(() => create({ heartbeatIntervalMs: 1000 }));
    expect(first?.head().epoch).not.toBe(second?.head().epoch);
    return Promise.all([first?.close(), second?.close()]);
  });
});

function create(options: Omit<LocalPresenceOptions, "isGuest">): LocalPresencePlatform {
  return new LocalPresencePlatform({ ...options, isGuest: (client) => client === "guest" });
}

/** Blocks the event loop, as if the process were suspended. */
function blockFor(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}
