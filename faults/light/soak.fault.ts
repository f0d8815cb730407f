import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { Platform } from "../platform/platform.ts";
import type { Holdings } from "../platform/presence-server.ts";
import { report } from "../report/figure.ts";
import { until } from "../viewers/until.ts";
import { Viewer } from "../viewers/viewer.ts";

const CLIENTS = 10_000;
const AT_ONCE = 400;
const OPENED_AT_ONCE = 20;
/** Between two such groups, so that other faults that run meanwhile have their share of the machine. */
const PAUSE_MS = 30;
/** Until all that is kept on purpose (what was pushed lately, compiled code) is there. */
const WARM_UP_MS = 20_000;
const SOAK_MS = Number(process.env["SOAK_MS"] ?? 60_000);
/** What the heap may be larger by: the engine's own fluctuation. */
const HEAP_SLACK_BYTES = 8 * 1024 * 1024;
/** A timer more or less is a matter of the moment. */
const TIMER_SLACK = 3;

it(
  "clients connect and leave in a loop",
  async (context) => {
    const platform = await Platform.start({
      heartbeatIntervalMs: 1_000,
      servers: 2,
      server: () => ({ isInspected: true }),
    });
    const ids = Array.from({ length: CLIENTS }, (_, index) => `person-${index}`);
    await platform.writeContacts(new Map(ids.map((id, index) => [id, [ids[(index + 1) % CLIENTS] ?? id]])));
    const holdings = async (): Promise<Holdings & { keys: number }> => {
      await until("all leases have ended", async () => (await platform.leases()).size === 0);
      const each = await Promise.all(platform.servers.map((server) => server.holdings()));
      const sum = (name: keyof Holdings) => each.reduce((total, holding) => total + holding[name], 0);
      return {
        heapBytes: sum("heapBytes"),
        sockets: sum("sockets"),
        timers: sum("timers"),
        processListeners: sum("processListeners"),
        keys: await platform.commands.dbsize(),
      };
    };

    await comeAndGo(platform, ids, WARM_UP_MS);
    const before = await holdings();
    const visits = await comeAndGo(platform, ids, SOAK_MS);
    const after = await holdings();

    expect(after.heapBytes, "heap").toBeLessThan(before.heapBytes + HEAP_SLACK_BYTES);
    expect(after.sockets, "sockets").toBe(before.sockets);
    expect(after.timers, "timers").toBeLessThanOrEqual(before.timers + TIMER_SLACK);
    expect(after.processListeners, "listeners").toBe(before.processListeners);
    expect(after.keys, "keys in Redis").toBe(before.keys);
    const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);
    report(context, {
      fault: `${CLIENTS.toLocaleString("en")} clients connect and leave in a loop, for ${Math.round(SOAK_MS / 60_000)} min`,
      holds: "heap, sockets, timers, listeners and Redis keys return to where they were",
      measured: `${visits.toLocaleString("en")} visits; heap of both servers ${mebibytes(before.heapBytes)} → ${mebibytes(after.heapBytes)} MiB, sockets ${before.sockets} → ${after.sockets}, timers ${before.timers} → ${after.timers}, keys ${before.keys} → ${after.keys}`,
    });
  },
  SOAK_MS + 150_000,
);

/** Lets one client after the other connect and leave, some hundreds being there at once. @returns how many came */
async function comeAndGo({ servers }: Platform, ids: readonly string[], durationMs: number): Promise<number> {
  const here: Viewer[] = [];
  const endMs = performance.now() + durationMs;
  let visits = 0;
  while (performance.now() < endMs) {
    const arriving = Array.from({ length: OPENED_AT_ONCE }, (_, index) => {
      const server = servers[index % servers.length];
      return new Viewer({ client: ids[(visits + index) % ids.length] ?? "", route: () => server });
    });
    for (const viewer of arriving) viewer.open();
    await until("their streams begin", () => arriving.every(({ isLive }) => isLive));
    visits += arriving.length;
    here.push(...arriving);
    for (const viewer of here.splice(0, Math.max(0, here.length - AT_ONCE))) viewer.close();
    await sleep(PAUSE_MS);
  }
  for (const viewer of here) viewer.close();
  return visits;
}
