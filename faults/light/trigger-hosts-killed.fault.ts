import { setTimeout as sleep } from "node:timers/promises";
import { EVERYONE, watchersKey } from "@presence/gears/keys";
import { downstreamKey, HEARTBEAT_KEY } from "@presence/protocol";
import { expect, it } from "vitest";
import { Platform } from "../platform/platform.ts";
import { TriggerHost } from "../platform/trigger-host.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

/** Long enough that no heartbeat is too old before a busy machine has started the next host. */
const HEARTBEAT_INTERVAL_MS = 5_000;
const CLIENTS = 60;
const KILLS = 5;
/** What a plain server says in one go: a host has to be at work on it when it is killed. */
const ENTRIES = 20;
const CLIENTS_PER_ENTRY = 30;
/** Told of everyone, without being a server. */
const AUDITOR = "auditor";

it("trigger hosts are killed in the middle of their work, and then all are gone", async (context) => {
  const platform = await Platform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 2,
    server: () => ({ env: { TRIGGERS: "elsewhere" } }),
  });
  let host = await TriggerHost.start(platform);
  const crowd = await Crowd.gather(platform, { size: CLIENTS, contacts: 10 });
  await platform.commands.sadd(watchersKey(EVERYONE), AUDITOR);

  const visitors = new Set<string>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const next = await TriggerHost.start(platform);
    const pipeline = platform.commands.pipeline();
    for (let entry = 0; entry < ENTRIES; entry += 1) {
      const names = Array.from({ length: CLIENTS_PER_ENTRY }, (_, index) => `visitor-${kill}-${entry}-${index}`);
      for (const name of names) visitors.add(name);
      pipeline.xadd(HEARTBEAT_KEY, "*", "server", "plain", ...names.flatMap((name) => ["client", name]));
    }
    const written = pipeline.exec();
    const before = visitors.size - ENTRIES * CLIENTS_PER_ENTRY;
    await until("some of it has been worked off", async () => (await eventsTold(platform)) > before);
    await host.kill();
    await written;
    host = next;
  }
  await until("all visitors have been announced", async () => (await eventsTold(platform)) >= visitors.size);

  const [leaver, ...stayers] = crowd.viewers;
  if (!leaver) throw new Error("unreachable");
  await host.kill();
  leaver.close();
  await sleep(3 * HEARTBEAT_INTERVAL_MS);
  await TriggerHost.start(platform);
  const goneMs = await until("who left is seen to be gone", () => crowd.departures([leaver.client]).length > 0);
  await until("all visitors are gone", async () => {
    const leases = await platform.leases();
    return leases.size === stayers.length;
  });
  await until("the last end has been told", async () => {
    const told = await platform.toldTo(AUDITOR);
    return told.filter(({ client, status }) => visitors.has(client) && status === "OFFLINE").length >= visitors.size;
  });
  await crowd.untilRight();

  const toldOf = new Map<string, string[]>([...visitors].map((visitor) => [visitor, []]));
  for (const { client, status } of await platform.toldTo(AUDITOR)) toldOf.get(client)?.push(status);
  const doubted = [...toldOf].filter(([, statuses]) => statuses.join() !== "ONLINE,OFFLINE");
  expect(doubted, "visitors who did not come and go just once").toEqual([]);
  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(stayers.map(({ client }) => client))).toEqual([]);
  report(context, {
    fault: `a trigger host is killed in the middle of a batch, ${KILLS} times; all hosts are gone for 3 × d`,
    holds: "nothing lost, nothing doubled, nobody flaps",
    measured: `${visitors.size.toLocaleString("en")} visitors came and went once each, 0 of ${stayers.length} others seen leaving; who left meanwhile was gone ${(goneMs / 1_000).toFixed(1)} s after a host was back`,
  });
});

function eventsTold({ commands }: Platform): Promise<number> {
  return commands.xlen(downstreamKey(AUDITOR));
}
