import { leaseKey } from "@presence/protocol";
import { SentinelGroup } from "@presence/testkit";
import { expect, it, onTestFinished } from "vitest";
import { measureStalls } from "../platform/machine-stalls.ts";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";
import { Viewer } from "../viewers/viewer.ts";

const HEARTBEAT_INTERVAL_MS = 4_000;
const CLIENTS = 60;
const NEWCOMERS = 5;

it("Sentinels put a replica in the place of a primary that hangs, and acknowledged writes are lost", async (context) => {
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
  const crowd = await Crowd.gather(platform, { size: CLIENTS, contacts: 12 });
  const [leaver, ...stayers] = crowd.viewers;
  if (!group || !leaver) throw new Error("unreachable");
  const oldPort = await group.primaryPort();

  // Replicas come back within a second; what is written until then they will not have seen.
  await platform.commands.call("CLIENT", "KILL", "TYPE", "replica");
  const newcomers = Array.from(
    { length: NEWCOMERS },
    (_, index) => new Viewer({ client: `newcomer-${index}`, route: () => platform.servers[index % 3] }),
  );
  for (const viewer of newcomers) viewer.open();
  const newcomersLeases = newcomers.map(({ client }) => leaseKey(client));
  await until("the primary has acknowledged them", async () => {
    return (await platform.commands.exists(...newcomersLeases)) === NEWCOMERS;
  });
  platform.redis.pause();
  leaver.close();
  const { commands } = platform;
  const failoverMs = await until("another is the primary", async () => {
    const port = await group?.primaryPort();
    return port !== undefined && port !== oldPort;
  });

  const stopMeasuring = measureStalls();
  const everyone = [...stayers, ...newcomers];
  const backMs = await until("those who stayed have streams again", () => everyone.every(({ isLive }) => isLive));
  await until("one can look into the new primary", async () => (await commands.ping()) === "PONG");
  const rightMs = backMs + (await crowd.untilRight());
  const stallMs = await stopMeasuring();
  await until("who came last has a lease there", async () => (await commands.exists(...newcomersLeases)) === NEWCOMERS);
  await until("who left is gone", async () => !(await platform.leases()).has(leaver.client));
  await crowd.untilRight();
  // The old one comes back, and is a replica from now on.
  platform.redis.resume();
  await until("the old primary follows the new one", async () => {
    return (await commands.info("replication")).includes("connected_slaves:2");
  });
  await crowd.untilRight();
  for (const viewer of newcomers) viewer.close();

  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(stayers.map(({ client }) => client))).toEqual([]);
  expect(rightMs, "until all see the truth").toBeLessThanOrEqual(2 * HEARTBEAT_INTERVAL_MS + stallMs);
  report(context, {
    fault: "Sentinels replace a primary that hangs; acknowledged writes are lost",
    holds: "no false OFFLINE, blocked reads don't hang, the truth within 2 × d of the new primary",
    measured: `a new primary after ${seconds(failoverMs)}, the truth ${seconds(rightMs)} later (d = ${seconds(HEARTBEAT_INTERVAL_MS)}); 0 of ${stayers.length} seen leaving`,
  });
});

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
