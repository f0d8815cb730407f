import { downstreamKey } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

const CLIENTS = 60;
const CONTACTS = 12;
const ARRIVALS = 10;

/** Ways for a server's stream to lose entries before the server has read them. */
const WAYS = [
  {
    name: "trimmed past a slow server's cursor",
    lose: ({ commands }: Platform, key: string) => commands.xtrim(key, "MAXLEN", 0),
  },
  { name: "deleted by hand", lose: ({ commands }: Platform, key: string) => commands.del(key) },
];

describe.each(WAYS)("a server's own stream is $name", ({ name, lose }) => {
  it("and the gap is healed", async (context) => {
    // The slow server sleeps for less than half of that, be the machine busy: its own clients stay.
    const platform = await Platform.start({ heartbeatIntervalMs: 8_000, servers: 2 });
    const [quick, slow] = platform.servers;
    if (!quick || !slow) throw new Error("This needs two servers.");
    const crowd = await Crowd.gather(platform, {
      size: CLIENTS,
      contacts: CONTACTS,
      route: (client) => (numberOf(client) % 2 === 0 ? quick : slow),
    });
    const atQuick = crowd.viewers.filter(({ client }) => numberOf(client) % 2 === 0);
    const away = atQuick.slice(0, ARRIVALS);
    for (const viewer of away) viewer.close();
    await until("some have left", async () => {
      const leases = await platform.leases();
      return away.every(({ client }) => !leases.has(client));
    });
    await crowd.untilRight();

    const key = downstreamKey(slow.serverId);
    const before = await platform.commands.xlen(key);
    slow.suspend();
    // A read that waits at Redis is answered all the same, with whatever is the first to come; the rest will be lost.
    const [first, ...others] = away;
    first?.open();
    await until("the first return is on the stream", async () => (await platform.commands.xlen(key)) > before);
    for (const viewer of others) viewer.open();
    await until("all of them are back", async () => {
      const leases = await platform.leases();
      return away.every(({ client }) => leases.has(client));
    });
    await lose(platform, key);
    slow.resume();
    const rightMs = await crowd.untilRight();

    expect(crowd.violations()).toEqual([]);
    const stayed = crowd.clients.filter((client) => !away.some((viewer) => viewer.client === client));
    expect(crowd.departures(stayed)).toEqual([]);
    expect(await slow.metric("presence_gaps_total")).toBeGreaterThan(0);
    report(context, {
      fault: `a downstream stream is ${name}`,
      holds: "the gap is noticed, and healed by snapshots",
      measured: `the truth ${(rightMs / 1_000).toFixed(1)} s later (d = ${platform.heartbeatIntervalMs / 1_000} s)`,
    });
  });
});

function numberOf(client: string): number {
  return Number(client.split("-").at(-1));
}
