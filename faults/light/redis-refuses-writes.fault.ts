import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";
import { Viewer } from "../viewers/viewer.ts";

const CLIENTS = 60;
const HEARTBEAT_INTERVAL_MS = 2_000;
const OUTAGE_MS = 3 * HEARTBEAT_INTERVAL_MS;

/** Ways for a Redis to read and not to write. */
const WAYS = [
  {
    name: "has no memory left (OOM command not allowed)",
    async begin({ commands }: Platform) {
      await commands.config("SET", "maxmemory", 1);
    },
    async end({ commands }: Platform) {
      await commands.config("SET", "maxmemory", 0);
    },
  },
  {
    name: "can't save to its disk (MISCONF)",
    async begin({ commands }: Platform) {
      const [, folder = ""] = (await commands.config("GET", "dir")) as string[];
      // What is to be replaced by the file is a folder.
      await mkdir(join(folder, "dump.rdb"));
      await commands.config("SET", "save", "3600 1");
      await commands.bgsave();
      await until("saving has failed", async () =>
        (await commands.info("persistence")).includes("rdb_last_bgsave_status:err"),
      );
    },
    async end({ commands }: Platform) {
      const [, folder = ""] = (await commands.config("GET", "dir")) as string[];
      await rmdir(join(folder, "dump.rdb"));
      await commands.bgsave();
      await until("saving succeeds", async () =>
        (await commands.info("persistence")).includes("rdb_last_bgsave_status:ok"),
      );
    },
  },
];

describe.each(WAYS)("Redis $name", ({ name, begin, end }) => {
  it("and who is served stays served", async (context) => {
    const platform = await Platform.start({ heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS, servers: 2 });
    const crowd = await Crowd.gather(platform, { size: CLIENTS, contacts: 10 });
    const [leaver, ...stayers] = crowd.viewers;
    if (!leaver) throw new Error("unreachable");
    await begin(platform);
    leaver.close();
    const latecomer = new Viewer({ client: "latecomer", route: () => platform.servers[0] });
    latecomer.open();
    await sleep(OUTAGE_MS);
    const isServed = stayers.every(({ isLive, connections }) => isLive && connections === 1);
    expect(isServed, "who was served before").toBe(true);
    expect(latecomer.snapshots, "nobody can say how things are").toBe(0);
    await end(platform);

    const rightMs = await crowd.untilRight();
    await until("who comes later is served again", () => latecomer.isLive);
    latecomer.close();
    await until("who left is gone", async () => !(await platform.leases()).has(leaver.client));
    await crowd.untilRight();
    expect(crowd.violations()).toEqual([]);
    expect(crowd.departures(stayers.map(({ client }) => client))).toEqual([]);
    report(context, {
      fault: `Redis ${name} for ${OUTAGE_MS / 1_000} s`,
      holds: "refused with a clear reason, served clients stay served, nobody is declared gone",
      measured: `${stayers.length} of ${stayers.length} streams went on, 0 seen leaving, the truth after ${(rightMs / 1_000).toFixed(1)} s`,
    });
  });
});
