import { expect, it } from "vitest";
import { Load, numberOf } from "../load/load.ts";
import { Platform } from "../platform/platform.ts";
import { report, seconds } from "../report/measurement.ts";

const CLOCK_AN_HOUR_AHEAD = new URL("../platform/clock-an-hour-ahead.mjs", import.meta.url).href;
const HOUR_MS = 3_600_000;

it("uses Redis's clock for all times when the clocks of two servers differ by an hour", async (context) => {
  const platform = await Platform.start({
    heartbeatIntervalMs: 1_000,
    servers: 2,
    server: (index) => (index === 0 ? { nodeArgs: ["--import", CLOCK_AN_HOUR_AHEAD] } : {}),
  });
  const [ahead, correct] = platform.twoServers;
  const load = await Load.start(platform, {
    size: 40,
    contacts: 10,
    route: (client) => (numberOf(client) % 2 === 0 ? ahead : correct),
  });
  expect(Number(ahead.log.at(-1)?.time) - Date.now(), "clock of the first server").toBeGreaterThan(HOUR_MS / 2);

  const { leavers, stayers } = load.split(5);
  for (const viewer of leavers) viewer.close();
  const goneMs = await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();
  for (const viewer of leavers) viewer.open();
  await load.waitUntilLive(leavers);
  await load.waitUntilCorrect();

  load.expectNoFalseEvents(stayers);
  const times = load.viewers.flatMap(({ state }) => state.transitions.map(({ since }) => since));
  const largestErrorMs = Math.max(...times.map((since) => Math.abs(since - Date.now())));
  expect(largestErrorMs, "error of the times that viewers received").toBeLessThan(HOUR_MS / 2);
  report(context, {
    fault: "clocks of two servers differ by an hour",
    expected: "no effect: times are Redis's, no flapping",
    measured: `0 flaps; the last client that left OFFLINE after ${seconds(goneMs)} (lease ${platform.leaseMs / 1_000} s)`,
  });
});
