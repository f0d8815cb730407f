import { expect, it } from "vitest";
import { percentile } from "../check/percentile.ts";
import { measureStalls } from "../platform/machine-stalls.ts";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

const CLIENTS = 1_000;
/** Every so-many-th doesn't come back. */
const LEAVER_STEP = 20;
/** By how much `OFFLINE` may follow the end of a lease. */
const LAG_LIMIT_MS = 50;

it("a server is killed", async (context) => {
  const platform = await Platform.start({ heartbeatIntervalMs: 5_000, servers: 3 });
  const [doomed, ...others] = platform.servers;
  let next = 0;
  const crowd = await Crowd.gather(platform, {
    size: CLIENTS,
    contacts: 10,
    route: () => {
      next += 1;
      return doomed?.isRunning ? doomed : others[next % others.length];
    },
  });
  const leavers = crowd.viewers.filter((_, index) => index % LEAVER_STEP === 0);
  const leaverIds = new Set(leavers.map(({ client }) => client));

  // The worst moment: heartbeats have spread over the interval, and some are about to be due.
  const shortestMs = 0.55 * platform.heartbeatIntervalMs;
  await until("a lease is as short as they get", async () => (await platform.shortestLeaseMs()) < shortestMs);
  await doomed?.kill();
  for (const viewer of leavers) viewer.close();
  const stayers = crowd.viewers.filter(({ client }) => !leaverIds.has(client));
  const backMs = await until("everyone else is back", () =>
    stayers.every(({ isLive, connections }) => isLive && connections > 1),
  );
  const stopMeasuring = measureStalls();
  await until("those who don't come back are gone", async () => {
    const leases = await platform.leases();
    return [...leaverIds].every((client) => !leases.has(client));
  });
  await crowd.untilRight();
  const stallMs = await stopMeasuring();

  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(stayers.map(({ client }) => client))).toEqual([]);
  const told = await Promise.all(others.map(({ serverId }) => platform.toldTo(serverId)));
  const ends = told.flat().filter(({ status, client }) => status === "OFFLINE" && leaverIds.has(client));
  expect(new Set(ends.map(({ client }) => client)), "who was told to be gone").toEqual(leaverIds);
  const lagMs = percentile(
    ends.map(({ at, dueAt = Number.NaN }) => at - dueAt),
    0.99,
  );
  expect(lagMs, "how late OFFLINE was by Redis's clock").toBeLessThanOrEqual(LAG_LIMIT_MS + stallMs);
  report(context, {
    fault: `a server is killed (SIGKILL) with ${CLIENTS.toLocaleString("en")} clients`,
    holds: "no OFFLINE of who reconnects elsewhere; who doesn't is OFFLINE within the lease + 50 ms",
    measured: `0 of ${stayers.length} seen leaving, all back after ${(backMs / 1_000).toFixed(1)} s; OFFLINE of ${leavers.length} ${lagMs} ms after the lease (p99)`,
  });
});
