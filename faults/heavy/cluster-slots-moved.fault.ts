import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Load } from "../load/load.ts";
import { Viewer } from "../load/viewer.ts";
import { ClusterPlatform } from "../platform/cluster-platform.ts";
import { report, seconds } from "../report/measurement.ts";

const HEARTBEAT_INTERVAL_MS = 3_000;
const CLIENTS = 300;
const NEWCOMERS = 20;
/** Every 20th client leaves during the moves. */
const LEAVER_STEP = 20;
const PARTITIONS = 6;
/** How long the keys of a slot are split between two primaries: longer than any lease. */
const PARTLY_MOVED_MS = 1.6 * HEARTBEAT_INTERVAL_MS;

it("loses no event when slots of a cluster are moved to another primary and back", async (context) => {
  const platform = await ClusterPlatform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 2,
    partitions: PARTITIONS,
  });
  const { cluster } = platform;
  const load = await Load.start(platform, { size: CLIENTS, contacts: 12 });
  const { leavers, stayers } = load.split(LEAVER_STEP);
  const newcomers = Array.from(
    { length: NEWCOMERS },
    (_, index) => new Viewer({ client: `newcomer-${index}`, route: () => platform.servers[index % 2] }),
  );
  const [first, second] = cluster.servers;
  if (!first || !second) throw new Error("A cluster has several primaries.");
  const slots = platform.slots.slice(0, PARTITIONS / 3);

  const startMs = performance.now();
  for (const viewer of leavers) viewer.close();
  for (const slot of slots) {
    expect(await cluster.primaryOf(slot)).toBe(first);
    await cluster.moveSlot(slot, second, () => sleep(PARTLY_MOVED_MS));
  }
  for (const viewer of newcomers) viewer.open();
  for (const slot of slots) {
    await waitFor("all nodes know the move", async () => (await cluster.primaryOf(slot)) === second);
    await cluster.moveSlot(slot, first);
  }
  const movedMs = performance.now() - startMs;
  await platform.waitUntilReadable();
  await load.waitForLeases(newcomers, "all");
  await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();
  const correctMs = performance.now() - startMs - movedMs;
  for (const viewer of newcomers) viewer.close();

  load.expectNoFalseEvents(stayers);
  report(context, {
    fault: `slots of a cluster are moved to another primary and back, under ${CLIENTS} clients`,
    expected: "no false OFFLINE, no event lost of clients that connect or leave meanwhile",
    measured: `${2 * slots.length} moves in ${seconds(movedMs)}, each slot partly moved for ${seconds(PARTLY_MOVED_MS)}, viewers correct ${seconds(correctMs)} later (d = ${seconds(HEARTBEAT_INTERVAL_MS)}); 0 of ${stayers.length} seen OFFLINE`,
  });
});
