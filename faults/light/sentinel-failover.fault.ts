import { leaseKey } from "@presence/protocol";
import { SentinelGroup, waitFor } from "@presence/testkit";
import { expect, it, onTestFinished } from "vitest";
import { Load } from "../load/load.ts";
import { Viewer } from "../load/viewer.ts";
import { measureStalls } from "../platform/machine-stalls.ts";
import { Platform } from "../platform/platform.ts";
import { report, seconds } from "../report/measurement.ts";

const HEARTBEAT_INTERVAL_MS = 4_000;
const CLIENTS = 60;
const NEWCOMERS = 5;

it("sends no false OFFLINE when Sentinels replace a primary that hangs and acknowledged writes are lost", async (context) => {
  let group: SentinelGroup | undefined;
  const platform = await Platform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 3,
    async follow(redis) {
      const started = await SentinelGroup.start(redis);
      onTestFinished(() => started.stop());
      group = started;
      return started;
    },
  });
  const { commands } = platform;
  const load = await Load.start(platform, { size: CLIENTS, contacts: 12 });
  const { leavers, stayers } = load.split(CLIENTS);
  const oldPort = await group?.primaryPort();

  // Replicas reconnect within a second; they do not receive what is written until then.
  await commands.call("CLIENT", "KILL", "TYPE", "replica");
  const newcomers = Array.from(
    { length: NEWCOMERS },
    (_, index) => new Viewer({ client: `newcomer-${index}`, route: () => platform.servers[index % 3] }),
  );
  for (const viewer of newcomers) viewer.open();
  const newLeases = newcomers.map(({ client }) => leaseKey(client));
  const haveLeases = async () => (await commands.exists(...newLeases)) === NEWCOMERS;
  await waitFor("the primary has acknowledged the new leases", haveLeases);
  platform.redis.pause();
  for (const viewer of leavers) viewer.close();
  const failoverMs = await waitFor("there is a new primary", async () => {
    const port = await group?.primaryPort();
    return port !== undefined && port !== oldPort;
  });

  const stopMeasuring = measureStalls();
  const backMs = await load.waitUntilLive([...stayers, ...newcomers]);
  await waitFor("the new primary answers", async () => (await commands.ping()) === "PONG");
  const correctMs = backMs + (await load.waitUntilCorrect());
  const stallMs = await stopMeasuring();
  await waitFor("the newcomers have leases at the new primary", haveLeases);
  await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();
  platform.redis.resume();
  await waitFor("the old primary is a replica of the new one", async () =>
    (await commands.info("replication")).includes("connected_slaves:2"),
  );
  await load.waitUntilCorrect();
  for (const viewer of newcomers) viewer.close();

  load.expectNoFalseEvents(stayers);
  expect(correctMs, "time until all viewers are correct").toBeLessThanOrEqual(2 * HEARTBEAT_INTERVAL_MS + stallMs);
  report(context, {
    fault: "Sentinels replace a primary that hangs; acknowledged writes are lost",
    expected: "no false OFFLINE, blocked reads do not hang, viewers correct within 2 × d after the failover",
    measured: `a new primary after ${seconds(failoverMs)}, viewers correct ${seconds(correctMs)} later (d = ${seconds(HEARTBEAT_INTERVAL_MS)}); 0 of ${stayers.length} seen OFFLINE`,
  });
});
