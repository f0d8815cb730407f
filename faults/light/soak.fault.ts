import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Viewer } from "../load/viewer.ts";
import { Platform } from "../platform/platform.ts";
import { count, report } from "../report/measurement.ts";

const INSPECTION = new URL("../platform/inspection.mjs", import.meta.url).href;
const CLIENTS = 10_000;
const MAX_CONNECTED = 400;
const CONNECT_BATCH = 20;
/** Pause between two batches, which leaves time for other faults that run at once, in ms. */
const PAUSE_MS = 30;
/** Fills what the server keeps on purpose: the log of recent events, compiled code. */
const WARM_UP_MS = 20_000;
const SOAK_MS = Number(process.env["SOAK_MS"] ?? 60_000);
/** Fluctuation of the JavaScript heap. */
const HEAP_SLACK_BYTES = 8 * 1024 * 1024;
const TIMER_SLACK = 3;
/** Keys that exist for a moment, such as those of a batch. */
const KEY_SLACK = 5;

/** Resources that are in use after a garbage collection; summed over the servers. */
interface Resources {
  heapBytes: number;
  sockets: number;
  timers: number;
  /** Listeners of the process object. */
  processListeners: number;
}

it(
  "frees all resources when clients connect and leave in a loop",
  async (context) => {
    const platform = await Platform.start({
      heartbeatIntervalMs: 1_000,
      servers: 2,
      server: () => ({ nodeArgs: ["--expose-gc", "--import", INSPECTION], hasIpc: true }),
    });
    const ids = Array.from({ length: CLIENTS }, (_, index) => `person-${index}`);
    await platform.writeContacts(new Map(ids.map((id, index) => [id, [ids[(index + 1) % CLIENTS] ?? id]])));
    const inspect = async () => {
      await waitFor("all leases have expired", async () => (await platform.leases()).size === 0);
      const each = await Promise.all(platform.servers.map((server) => server.ask<Resources>("report")));
      const sum = (name: keyof Resources) => each.reduce((total, resources) => total + resources[name], 0);
      return {
        heapBytes: sum("heapBytes"),
        sockets: sum("sockets"),
        timers: sum("timers"),
        processListeners: sum("processListeners"),
        keys: await platform.commands.dbsize(),
      };
    };

    await connectAndLeave(platform, ids, WARM_UP_MS);
    const before = await inspect();
    const visits = await connectAndLeave(platform, ids, SOAK_MS);
    const after = await inspect();

    expect(after.heapBytes, "heap").toBeLessThan(before.heapBytes + HEAP_SLACK_BYTES);
    expect(after.sockets, "sockets").toBe(before.sockets);
    expect(after.timers, "timers").toBeLessThanOrEqual(before.timers + TIMER_SLACK);
    expect(after.processListeners, "listeners").toBe(before.processListeners);
    expect(after.keys, "keys in Redis").toBeLessThanOrEqual(before.keys + KEY_SLACK);
    const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);
    report(context, {
      fault: `${count(CLIENTS)} clients connect and leave in a loop, for ${Math.round(SOAK_MS / 60_000)} min`,
      expected: "heap, sockets, timers, listeners and Redis keys return to their values before",
      measured: `${count(visits)} visits; heap of both servers ${mebibytes(before.heapBytes)} → ${mebibytes(after.heapBytes)} MiB, sockets ${before.sockets} → ${after.sockets}, timers ${before.timers} → ${after.timers}, keys ${before.keys} → ${after.keys}`,
    });
  },
  SOAK_MS + 150_000,
);

/** Connects clients in batches and closes the oldest, so that a few hundred are connected. @returns the visits */
async function connectAndLeave({ servers }: Platform, ids: readonly string[], durationMs: number): Promise<number> {
  const connected: Viewer[] = [];
  const endMs = performance.now() + durationMs;
  let visits = 0;
  while (performance.now() < endMs) {
    const batch = Array.from({ length: CONNECT_BATCH }, (_, index) => {
      const server = servers[index % servers.length];
      return new Viewer({ client: ids[(visits + index) % ids.length] ?? "", route: () => server });
    });
    for (const viewer of batch) viewer.open();
    await waitFor("the streams are live", () => batch.every(({ isLive }) => isLive));
    visits += batch.length;
    connected.push(...batch);
    for (const viewer of connected.splice(0, Math.max(0, connected.length - MAX_CONNECTED))) viewer.close();
    await sleep(PAUSE_MS);
  }
  for (const viewer of connected) viewer.close();
  return visits;
}
