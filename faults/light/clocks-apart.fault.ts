import { expect, it } from "vitest";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

const CLOCK_AN_HOUR_AHEAD = new URL("../platform/clock-an-hour-ahead.mjs", import.meta.url).href;
const HOUR_MS = 3_600_000;

it("clocks of two servers an hour apart", async (context) => {
  const platform = await Platform.start({
    heartbeatIntervalMs: 1_000,
    servers: 2,
    server: (index) => (index === 0 ? { nodeArgs: ["--import", CLOCK_AN_HOUR_AHEAD] } : {}),
  });
  const [ahead, right] = platform.servers;
  const isAhead = (client: string) => Number(client.split("-").at(-1)) % 2 === 0;
  const crowd = await Crowd.gather(platform, {
    size: 40,
    contacts: 10,
    route: (client) => (isAhead(client) ? ahead : right),
  });

  expect(Number(ahead?.log.at(-1)?.time) - Date.now(), "the first server's clock").toBeGreaterThan(HOUR_MS / 2);

  const leavers = crowd.viewers.filter((_, index) => index % 5 === 0);
  for (const viewer of leavers) viewer.close();
  const goneIds = leavers.map(({ client }) => client);
  const goneMs = await until("those who left are gone", async () => {
    const leases = await platform.leases();
    return goneIds.every((client) => !leases.has(client));
  });
  await crowd.untilRight();
  for (const viewer of leavers) viewer.open();
  await until("they are back", () => leavers.every(({ isLive }) => isLive));
  await crowd.untilRight();

  expect(crowd.violations()).toEqual([]);
  const stayed = crowd.clients.filter((client) => !goneIds.includes(client));
  expect(crowd.departures(stayed)).toEqual([]);
  const times = crowd.viewers.flatMap(({ picture }) => picture.transitions.map(({ since }) => since));
  const furthestMs = Math.max(...times.map((since) => Math.abs(since - Date.now())));
  expect(furthestMs, "times are told by Redis's clock").toBeLessThan(HOUR_MS / 2);
  report(context, {
    fault: "clocks of two servers an hour apart",
    holds: "no effect: times are Redis's, nobody flaps",
    measured: `0 flaps; the last of those who left was gone after ${(goneMs / 1_000).toFixed(1)} s (lease ${platform.leaseMs / 1_000} s)`,
  });
});
