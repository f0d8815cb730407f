import { leaseKey } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { measureStalls } from "../platform/machine-stalls.ts";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

const CLIENTS = 40;
const LAG_LIMIT_MS = 50;

/** Ways to be without keyspace notifications. */
const WAYS = [
  {
    name: "CONFIG is forbidden by an ACL",
    args: ["--user", "default", "on", "nopass", "~*", "&*", "+@all", "-config"],
  },
  { name: "notifications can't be turned on", args: ["--rename-command", "CONFIG", ""] },
];

describe.each(WAYS)("$name", ({ name, args }) => {
  it("and all works by the deadline clock", async (context) => {
    const platform = await Platform.start({ heartbeatIntervalMs: 2_000, servers: 2, redis: { args } });
    const crowd = await Crowd.gather(platform, { size: CLIENTS, contacts: 10 });
    for (const server of platform.servers) {
      await until("it warns", async () =>
        (await server.readiness()).warnings.join().includes("keyspace notifications"),
      );
      expect(await server.readiness()).toMatchObject({ status: 200, ready: true });
      expect([...server.complaints].join()).toMatch(/keyspace notifications/);
    }
    const [leaver, deleted] = crowd.viewers;
    if (!leaver || !deleted) throw new Error("unreachable");
    leaver.close();
    await until("who left is gone", async () => !(await platform.leases()).has(leaver.client));
    const stopMeasuring = measureStalls();
    await crowd.untilRight();
    // By hand, and yet nobody tells: it is found by the clock, or the next heartbeat.
    await platform.commands.del(leaseKey(deleted.client));
    await crowd.untilRight();
    const stallMs = await stopMeasuring();

    expect(crowd.violations()).toEqual([]);
    expect(crowd.departures(crowd.clients.filter((client) => client !== leaver.client))).toEqual([]);
    const told = (await Promise.all(platform.servers.map(({ serverId }) => platform.toldTo(serverId)))).flat();
    const ends = told.filter(({ status, client }) => status === "OFFLINE" && client === leaver.client);
    const lagMs = Math.max(...ends.map(({ at, dueAt = Number.NaN }) => at - dueAt));
    expect(lagMs).toBeLessThanOrEqual(LAG_LIMIT_MS + stallMs);
    report(context, {
      fault: name,
      holds: "full function by the deadline clock; a warning in the log and in /readyz",
      measured: `OFFLINE ${lagMs} ms after the end of the lease; warned of by both servers`,
    });
  });
});
