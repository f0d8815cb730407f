import { describe, expect, it, vi } from "vitest";
import { presencePlatformContract } from "../presence-platform.contract.ts";
import { type LocalPresenceOptions, LocalPresencePlatform } from "./local-presence-platform.ts";

describe("the local presence platform", () => {
  presencePlatformContract((options) => Promise.resolve(create(options)));

  it("refreshes who is connected, rather than announce its absence, after the process has slept", async () => {
    const platform = create({ heartbeatIntervalMs: 100 });
    const statuses: string[] = [];
    platform.subscribe({
      onEvents: (events) => statuses.push(...events.map(({ client, status }) => `${client} ${status}`)),
      onGap: () => {},
      onLost: () => {},
    });
    platform.connect("anouk");
    platform.connect("magali");
    platform.disconnect("magali");
    blockFor(400);
    await vi.waitFor(() => expect(statuses).toContain("magali OFFLINE"));
    expect(statuses).not.toContain("anouk OFFLINE");
    await platform.close();
  });

  it("tells how late each OFFLINE was", async () => {
    const lagsMs: number[] = [];
    const platform = create({ heartbeatIntervalMs: 100, onOfflineLag: (lagMs) => lagsMs.push(lagMs) });
    platform.connect("anouk");
    platform.disconnect("anouk");
    await vi.waitFor(() => expect(lagsMs).toHaveLength(1));
    expect(lagsMs[0]).toBeGreaterThanOrEqual(0);
    await platform.close();
  });

  it("starts an epoch of its own each time", () => {
    const [first, second] = [1, 2].map(() => create({ heartbeatIntervalMs: 1000 }));
    expect(first?.head().epoch).not.toBe(second?.head().epoch);
    return Promise.all([first?.close(), second?.close()]);
  });
});

function create(options: Omit<LocalPresenceOptions, "isGuest">): LocalPresencePlatform {
  return new LocalPresencePlatform({ ...options, isGuest: (client) => client === "guest" });
}

/** Stops the whole process, as a sleeping laptop does. */
function blockFor(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}
