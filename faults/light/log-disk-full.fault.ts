import { expect, it } from "vitest";
import { Load } from "../load/load.ts";
import { Platform } from "../platform/platform.ts";
import { report, seconds } from "../report/measurement.ts";

/** Every write fails with ENOSPC, as on a full disk. */
const FULL_DISK = "/dev/full";

it("serves clients when the disk of the log is full", async (context) => {
  const platform = await Platform.start({
    heartbeatIntervalMs: 1_000,
    servers: 2,
    // At this level each request writes a line.
    server: () => ({ logFile: FULL_DISK, env: { LOG_LEVEL: "debug" } }),
  });
  const load = await Load.start(platform, { size: 40, contacts: 10 });
  const { leavers, stayers } = load.split(load.viewers.length);
  for (const viewer of leavers) viewer.close();
  await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();
  for (const viewer of leavers) viewer.open();
  await load.waitUntilLive(leavers);
  await load.waitUntilCorrect();

  const [server] = platform.servers;
  expect(platform.servers.every(({ isRunning }) => isRunning)).toBe(true);
  expect(server?.warnings.join("\n")).toMatch(/ENOSPC/);
  load.expectNoFalseEvents(stayers);
  for (const viewer of load.viewers) viewer.close();
  const stopMs = Math.max(...(await Promise.all(platform.servers.map((one) => one.stop()))));
  report(context, {
    fault: "the log cannot be written (ENOSPC)",
    expected: "a message on standard error; served and new clients are served",
    measured: `${load.viewers.length} served, 0 flaps; stopped within ${seconds(stopMs)}`,
  });
});
