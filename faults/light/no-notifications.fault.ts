import { leaseKey } from "@presence/protocol";
import { waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Load } from "../load/load.ts";
import { measureStalls } from "../platform/machine-stalls.ts";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/measurement.ts";

const CLIENTS = 40;
const LAG_LIMIT_MS = 50;

/** Reasons why Redis sends no keyspace notifications. */
const CAUSES = [
  {
    name: "an ACL forbids CONFIG",
    args: ["--user", "default", "on", "nopass", "~*", "&*", "+@all", "-config"],
  },
  { name: "CONFIG is not available, so notifications stay off", args: ["--rename-command", "CONFIG", ""] },
];

it.for(CAUSES)("detects expired leases by the deadline clock when $name", async ({ name, args }, context) => {
  const platform = await Platform.start({ heartbeatIntervalMs: 2_000, servers: 2, redis: { args } });
  const load = await Load.start(platform, { size: CLIENTS, contacts: 10 });
  for (const server of platform.servers) {
    await waitFor("the server warns", async () =>
      (await server.readiness()).warnings.join().includes("keyspace notifications"),
    );
    expect(await server.readiness()).toMatchObject({ status: 200, ready: true });
    expect(server.warnings.join()).toMatch(/keyspace notifications/);
  }
  const { leavers, stayers } = load.split(CLIENTS);
  const [leaver] = leavers;
  leaver?.close();
  await load.waitForLeases(leavers, "none");
  const stopMeasuring = measureStalls();
  await load.waitUntilCorrect();
  // Nothing announces a lease that is deleted manually: the clock or the next heartbeat finds it.
  await platform.commands.del(leaseKey(stayers[0]?.client ?? ""));
  await load.waitUntilCorrect();
  const stallMs = await stopMeasuring();

  load.expectNoFalseEvents(stayers);
  const events = (await Promise.all(platform.servers.map(({ serverId }) => platform.eventsOf(serverId)))).flat();
  const ends = events.filter(({ status, client }) => status === "OFFLINE" && client === leaver?.client);
  const lagMs = Math.max(...ends.map(({ at, dueAt = Number.NaN }) => at - dueAt));
  expect(lagMs).toBeLessThanOrEqual(LAG_LIMIT_MS + stallMs);
  report(context, {
    fault: name,
    expected: "full function by the deadline clock; a warning in the log and in /readyz",
    measured: `OFFLINE ${lagMs} ms after the end of the lease; both servers warned`,
  });
});
