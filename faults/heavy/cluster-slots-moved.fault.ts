import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { ClusterPlatform } from "../platform/cluster-platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";
import { Viewer } from "../viewers/viewer.ts";

const HEARTBEAT_INTERVAL_MS = 3_000;
const CLIENTS = 300;
const NEWCOMERS = 20;
/** Every so-many-th leaves meanwhile, and doesn't come back. */
const LEAVER_STEP = 20;
const PARTITIONS = 6;
/** For how long a slot's keys lie partly at one primary and partly at the other: longer than any lease. */
const HALF_MOVED_MS = 1.6 * HEARTBEAT_INTERVAL_MS;

it("slots of a cluster are moved from one primary to another, and back", async (context) => {
  const platform = await ClusterPlatform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 2,
    partitions: PARTITIONS,
  });
  const { cluster } = platform;
  const crowd = await Crowd.gather(platform, { size: CLIENTS, contacts: 12 });
  const leavers = crowd.viewers.filter((_, index) => index % LEAVER_STEP === 0);
  const stayers = crowd.viewers.filter((_, index) => index % LEAVER_STEP !== 0);
  const newcomers = Array.from(
    { length: NEWCOMERS },
    (_, index) => new Viewer({ client: `newcomer-${index}`, route: () => platform.servers[index % 2] }),
  );
  const [first, second] = cluster.servers;
  if (!first || !second) throw new Error("a cluster has several primaries");
  const slots = platform.slots.slice(0, PARTITIONS / 3);

  const startMs = performance.now();
  for (const viewer of leavers) viewer.close();
  for (const slot of slots) {
    expect(await cluster.primaryOf(slot)).toBe(first);
    await cluster.moveSlot(slot, second, () => sleep(HALF_MOVED_MS));
  }
  for (const viewer of newcomers) viewer.open();
  for (const slot of slots) {
    await until("all know of the move", async () => (await cluster.primaryOf(slot)) === second);
    await cluster.moveSlot(slot, first);
  }
  const movedMs = performance.now() - startMs;
  await until("one can look into all partitions", () =>
    platform.leases().then(
      () => true,
      () => false,
    ),
  );
  await until("who came has a lease", async () => {
    const leases = await platform.leases();
    return newcomers.every(({ client }) => leases.has(client));
  });
  await until("who left has none", async () => {
    const leases = await platform.leases();
    return leavers.every(({ client }) => !leases.has(client));
  });
  await crowd.untilRight();
  const rightMs = performance.now() - startMs - movedMs;
  for (const viewer of newcomers) viewer.close();

  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(stayers.map(({ client }) => client))).toEqual([]);
  report(context, {
    fault: `slots of a cluster are moved to another primary and back, under ${CLIENTS} clients`,
    holds: "no false OFFLINE, nothing lost: who comes and who leaves meanwhile is told of",
    measured: `${2 * slots.length} moves in ${seconds(movedMs)}, half done for ${seconds(HALF_MOVED_MS)} each time there, the truth ${seconds(rightMs)} later (d = ${seconds(HEARTBEAT_INTERVAL_MS)}); 0 of ${stayers.length} seen leaving`,
  });
});

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
