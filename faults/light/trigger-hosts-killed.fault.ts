import { setTimeout as sleep } from "node:timers/promises";
import { EVERYONE, watchersKey } from "@presence/gears/keys";
import { downstreamKey, HEARTBEAT_KEY } from "@presence/protocol";
import { waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Load } from "../load/load.ts";
import { Platform } from "../platform/platform.ts";
import { count, report, seconds } from "../report/measurement.ts";

/** Long enough that no heartbeat expires before a busy machine has started the next host. */
const HEARTBEAT_INTERVAL_MS = 5_000;
const CLIENTS = 60;
const KILLS = 5;
/** One batch of an external server, large enough that a host is processing it when it is killed. */
const ENTRIES = 20;
const CLIENTS_PER_ENTRY = 30;
/** Receives all events on its downstream stream, without being a server. */
const AUDITOR = "auditor";

it("loses and repeats no event when trigger hosts are killed while they work, and then all are gone", async (context) => {
  const platform = await Platform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 2,
    server: () => ({ env: { TRIGGERS: "elsewhere" } }),
  });
  const countEvents = () => platform.commands.xlen(downstreamKey(AUDITOR));
  let host = await platform.startTriggerHost();
  const load = await Load.start(platform, { size: CLIENTS, contacts: 10 });
  await platform.commands.sadd(watchersKey(EVERYONE), AUDITOR);

  const visitors = new Set<string>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const next = await platform.startTriggerHost();
    const pipeline = platform.commands.pipeline();
    const before = visitors.size;
    for (let entry = 0; entry < ENTRIES; entry += 1) {
      const names = Array.from({ length: CLIENTS_PER_ENTRY }, (_, index) => `visitor-${kill}-${entry}-${index}`);
      for (const name of names) visitors.add(name);
      pipeline.xadd(HEARTBEAT_KEY, "*", "server", "plain", ...names.flatMap((name) => ["client", name]));
    }
    const written = pipeline.exec();
    await waitFor("a part of the batch is processed", async () => (await countEvents()) > before);
    await host.kill();
    await written;
    host = next;
  }
  await waitFor("all visitors are announced", async () => (await countEvents()) >= visitors.size);

  const { leavers, stayers } = load.split(CLIENTS);
  await host.kill();
  for (const viewer of leavers) viewer.close();
  await sleep(3 * HEARTBEAT_INTERVAL_MS);
  await platform.startTriggerHost();
  const leaverIds = leavers.map(({ client }) => client);
  const goneMs = await waitFor(
    "viewers see the client that left OFFLINE",
    () => load.departuresOf(leaverIds).length > 0,
  );
  await waitFor("all visitors' leases have expired", async () => (await platform.leases()).size === stayers.length);
  await waitFor("OFFLINE of all visitors is announced", async () => {
    const events = await platform.eventsOf(AUDITOR);
    return events.filter(({ client, status }) => visitors.has(client) && status === "OFFLINE").length >= visitors.size;
  });
  await load.waitUntilCorrect();

  const statusesOf = new Map<string, string[]>([...visitors].map((visitor) => [visitor, []]));
  for (const { client, status } of await platform.eventsOf(AUDITOR)) statusesOf.get(client)?.push(status);
  const wrong = [...statusesOf].filter(([, statuses]) => statuses.join() !== "ONLINE,OFFLINE");
  expect(wrong, "visitors without exactly one ONLINE and one OFFLINE").toEqual([]);
  load.expectNoFalseEvents(stayers);
  report(context, {
    fault: `a trigger host is killed in the middle of a batch, ${KILLS} times; all hosts are gone for 3 × d`,
    expected: "no event lost, none repeated, no flapping",
    measured: `${count(visitors.size)} visitors came and went once each, 0 of ${stayers.length} others seen OFFLINE; the client that left meanwhile OFFLINE ${seconds(goneMs)} after a host was back`,
  });
});
