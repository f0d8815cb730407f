import { waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Load } from "../load/load.ts";
import { ClusterPlatform } from "../platform/cluster-platform.ts";
import { measureStalls } from "../platform/machine-stalls.ts";
import { report, seconds } from "../report/measurement.ts";

const HEARTBEAT_INTERVAL_MS = 4_000;
const CLIENTS = 300;
/** Every 20th client leaves during the failover. */
const LEAVER_STEP = 20;
const PARTITIONS = 6;

it("sends no false OFFLINE when a primary of a cluster is killed and its replica takes over", async (context) => {
  const platform = await ClusterPlatform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 2,
    partitions: PARTITIONS,
  });
  const { cluster } = platform;
  const load = await Load.start(platform, { size: CLIENTS, contacts: 12 });
  const { leavers, stayers } = load.split(LEAVER_STEP);
  const slot = platform.slots[0] ?? 0;
  const killed = await cluster.primaryOf(slot);

  await killed?.kill();
  for (const viewer of leavers) viewer.close();
  const failoverMs = await waitFor("there is a new primary", async () => {
    const primary = await cluster.primaryOf(slot);
    return primary !== undefined && primary !== killed;
  });
  await platform.waitUntilReadable();
  const stopMeasuring = measureStalls();
  const backMs = await load.waitUntilLive(stayers);
  await load.waitForLeases(leavers, "none");
  const correctMs = backMs + (await load.waitUntilCorrect());
  const stallMs = await stopMeasuring();
  await waitFor("all servers are ready", async () => {
    const answers = await Promise.all(platform.servers.map((server) => server.readiness()));
    return answers.every(({ ready, warnings }) => ready && warnings.length === 0);
  });
  await load.waitUntilCorrect();

  load.expectNoFalseEvents(stayers);
  expect(correctMs, "time until all viewers are correct").toBeLessThanOrEqual(4 * HEARTBEAT_INTERVAL_MS + stallMs);
  report(context, {
    fault: `a primary of a cluster of three is killed (SIGKILL) under ${CLIENTS} clients`,
    expected: "no false OFFLINE, no event lost, servers and trigger hosts follow the failover",
    measured: `a new primary after ${seconds(failoverMs)}, clients that left OFFLINE and viewers correct ${seconds(correctMs)} later (d = ${seconds(HEARTBEAT_INTERVAL_MS)}); 0 of ${stayers.length} seen OFFLINE`,
  });
});
