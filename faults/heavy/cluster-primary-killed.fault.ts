import { expect, it } from "vitest";
import { ClusterPlatform } from "../platform/cluster-platform.ts";
import { measureStalls } from "../platform/machine-stalls.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

const HEARTBEAT_INTERVAL_MS = 4_000;
const CLIENTS = 300;
/** Every so-many-th leaves meanwhile, and doesn't come back. */
const LEAVER_STEP = 20;
const PARTITIONS = 6;

it("a primary of a cluster is killed, and its replica takes its place", async (context) => {
  const platform = await ClusterPlatform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 2,
    partitions: PARTITIONS,
  });
  const { cluster } = platform;
  const crowd = await Crowd.gather(platform, { size: CLIENTS, contacts: 12 });
  const leavers = crowd.viewers.filter((_, index) => index % LEAVER_STEP === 0);
  const stayers = crowd.viewers.filter((_, index) => index % LEAVER_STEP !== 0);
  const slot = platform.slots[0] ?? 0;
  const doomed = await cluster.primaryOf(slot);

  await doomed?.kill();
  for (const viewer of leavers) viewer.close();
  const failoverMs = await until("another is the primary", async () => {
    const primary = await cluster.primaryOf(slot);
    return primary !== undefined && primary !== doomed;
  });
  await until("one can look into all partitions", () =>
    platform.leases().then(
      () => true,
      () => false,
    ),
  );
  const stopMeasuring = measureStalls();
  const backMs = await until("those who stayed have streams", () => stayers.every(({ isLive }) => isLive));
  await until("those who left are gone", async () => {
    const leases = await platform.leases();
    return leavers.every(({ client }) => !leases.has(client));
  });
  const rightMs = backMs + (await crowd.untilRight());
  const stallMs = await stopMeasuring();
  await until("all servers are ready", async () => {
    const readinesses = await Promise.all(platform.servers.map((server) => server.readiness()));
    return readinesses.every(({ ready, warnings }) => ready && warnings.length === 0);
  });
  await crowd.untilRight();

  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(stayers.map(({ client }) => client))).toEqual([]);
  expect(rightMs, "until all see the truth").toBeLessThanOrEqual(4 * HEARTBEAT_INTERVAL_MS + stallMs);
  report(context, {
    fault: `a primary of a cluster of three is killed (SIGKILL) under ${CLIENTS} clients`,
    holds: "no false OFFLINE, nothing lost, the replica is found by servers and hosts",
    measured: `a new primary after ${seconds(failoverMs)}, those who left gone and the truth ${seconds(rightMs)} later (d = ${seconds(HEARTBEAT_INTERVAL_MS)}); 0 of ${stayers.length} seen leaving`,
  });
});

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
