import { percentile, waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Load } from "../load/load.ts";
import { measureStalls } from "../platform/machine-stalls.ts";
import { Platform } from "../platform/platform.ts";
import { count, report, seconds } from "../report/measurement.ts";

const CLIENTS = 1_000;
/** Every 20th client does not reconnect. */
const LEAVER_STEP = 20;
/** Allowed delay of OFFLINE after the end of a lease. */
const LAG_LIMIT_MS = 50;

it("sends no OFFLINE of clients that reconnect elsewhere when a server is killed", async (context) => {
  const platform = await Platform.start({ heartbeatIntervalMs: 5_000, servers: 3 });
  const [killed, ...others] = platform.servers;
  let next = 0;
  const load = await Load.start(platform, {
    size: CLIENTS,
    contacts: 10,
    route: () => {
      next += 1;
      return killed?.isRunning ? killed : others[next % others.length];
    },
  });
  const { leavers, stayers } = load.split(LEAVER_STEP);
  const leaverIds = new Set(leavers.map(({ client }) => client));

  // The worst moment: heartbeats have spread over the interval, and some leases are due for renewal.
  const shortestMs = 0.55 * platform.heartbeatIntervalMs;
  await waitFor("a lease is due for renewal", async () => (await platform.shortestLeaseMs()) < shortestMs);
  await killed?.kill();
  for (const viewer of leavers) viewer.close();
  const backMs = await waitFor("all others have reconnected", () =>
    stayers.every(({ isLive, connections }) => isLive && connections > 1),
  );
  const stopMeasuring = measureStalls();
  await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();
  const stallMs = await stopMeasuring();

  load.expectNoFalseEvents(stayers);
  const events = await Promise.all(others.map(({ serverId }) => platform.eventsOf(serverId)));
  const ends = events.flat().filter(({ status, client }) => status === "OFFLINE" && leaverIds.has(client));
  expect(new Set(ends.map(({ client }) => client)), "clients announced OFFLINE").toEqual(leaverIds);
  const lagsMs = ends.map(({ at, dueAt = Number.NaN }) => at - dueAt);
  const lagMs = percentile(lagsMs, 0.99);
  expect(lagMs, "delay of OFFLINE by Redis's clock").toBeLessThanOrEqual(LAG_LIMIT_MS + stallMs);
  report(context, {
    fault: `a server is killed (SIGKILL) with ${count(CLIENTS)} clients`,
    expected: "no OFFLINE of clients that reconnect elsewhere; the others OFFLINE within 50 ms after their lease",
    measured: `0 of ${stayers.length} seen OFFLINE, all reconnected after ${seconds(backMs)}; OFFLINE of ${leavers.length} ${lagMs} ms after the lease (p99)`,
  });
});
