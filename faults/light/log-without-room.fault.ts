import { expect, it } from "vitest";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

/** Takes nothing, as a disk on which no room is left: every write is ENOSPC. */
const FULL_DISK = "/dev/full";

it("the disk of the log is full", async (context) => {
  const platform = await Platform.start({
    heartbeatIntervalMs: 1_000,
    servers: 2,
    // Each request is a line that can't be written.
    server: () => ({ logFile: FULL_DISK, env: { LOG_LEVEL: "debug" } }),
  });
  const crowd = await Crowd.gather(platform, { size: 40, contacts: 10 });
  const [leaver, ...stayers] = crowd.viewers;
  leaver?.close();
  await until("who left is gone", async () => !(await platform.leases()).has(leaver?.client ?? ""));
  await crowd.untilRight();
  leaver?.open();
  await until("who left is back", () => leaver?.isLive === true);
  await crowd.untilRight();

  const [server] = platform.servers;
  expect(platform.servers.every(({ isRunning }) => isRunning)).toBe(true);
  expect(server?.complaints.join("\n")).toMatch(/The log can't be written: ENOSPC/);
  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(stayers.map(({ client }) => client))).toEqual([]);
  for (const viewer of crowd.viewers) viewer.close();
  const stopMs = Math.max(...(await Promise.all(platform.servers.map((one) => one.stop()))));
  report(context, {
    fault: "the log can't be written (ENOSPC)",
    holds: "said on standard error; served clients stay served, new ones are",
    measured: `${crowd.viewers.length} served, 0 flaps; ended in ${(stopMs / 1_000).toFixed(1)} s when told to`,
  });
});
