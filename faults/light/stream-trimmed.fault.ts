import { downstreamKey } from "@presence/protocol";
import { waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Load, numberOf } from "../load/load.ts";
import { Platform } from "../platform/platform.ts";
import { report, seconds } from "../report/measurement.ts";

const ARRIVALS = 10;

/** Ways for a server's downstream stream to lose entries before the server has read them. */
const LOSSES = [
  {
    name: "trimmed past a slow server's cursor",
    lose: ({ commands }: Platform, key: string) => commands.xtrim(key, "MAXLEN", 0),
  },
  { name: "deleted manually", lose: ({ commands }: Platform, key: string) => commands.del(key) },
];

it.for(LOSSES)("recovers with snapshots when a downstream stream is $name", async ({ name, lose }, context) => {
  // The slow server is suspended for less than half an interval, so its clients keep their leases on a busy machine too.
  const platform = await Platform.start({ heartbeatIntervalMs: 8_000, servers: 2 });
  const [quick, slow] = platform.twoServers;
  const isAtQuick = (client: string) => numberOf(client) % 2 === 0;
  const load = await Load.start(platform, {
    size: 60,
    contacts: 12,
    route: (client) => (isAtQuick(client) ? quick : slow),
  });
  const leavers = load.viewers.filter(({ client }) => isAtQuick(client)).slice(0, ARRIVALS);
  for (const viewer of leavers) viewer.close();
  await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();

  const key = downstreamKey(slow.serverId);
  const before = await platform.commands.xlen(key);
  slow.suspend();
  // Redis answers the server's blocked read with the first entry. The entries after it are to be lost.
  const [first, ...others] = leavers;
  first?.open();
  await waitFor("the first arrival is on the stream", async () => (await platform.commands.xlen(key)) > before);
  for (const viewer of others) viewer.open();
  await load.waitForLeases(leavers, "all");
  await lose(platform, key);
  slow.resume();
  const correctMs = await load.waitUntilCorrect();

  load.expectNoFalseEvents(load.viewers.filter((viewer) => !leavers.includes(viewer)));
  expect(await slow.metric("presence_gaps_total")).toBeGreaterThan(0);
  report(context, {
    fault: `a downstream stream is ${name}`,
    expected: "the server detects the gap and sends snapshots",
    measured: `viewers correct after ${seconds(correctMs)} (d = ${platform.heartbeatIntervalMs / 1_000} s)`,
  });
});
