import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Load } from "../load/load.ts";
import { Viewer } from "../load/viewer.ts";
import { Platform } from "../platform/platform.ts";
import { report, seconds } from "../report/measurement.ts";

const CLIENTS = 60;
const HEARTBEAT_INTERVAL_MS = 2_000;
const OUTAGE_MS = 3 * HEARTBEAT_INTERVAL_MS;

/** Reasons why Redis answers reads and refuses writes. */
const CAUSES = [
  {
    name: "has no memory left (OOM command not allowed)",
    begin: ({ commands }: Platform) => commands.config("SET", "maxmemory", 1),
    end: ({ commands }: Platform) => commands.config("SET", "maxmemory", 0),
  },
  {
    name: "cannot save to its disk (MISCONF)",
    async begin({ commands }: Platform) {
      // A folder in the place of the file makes saving fail.
      await mkdir(await dumpFile(commands));
      await commands.config("SET", "save", "3600 1");
      await commands.bgsave();
      await waitForSave(commands, "err");
    },
    async end({ commands }: Platform) {
      await rmdir(await dumpFile(commands));
      await commands.bgsave();
      await waitForSave(commands, "ok");
    },
  },
];

it.for(CAUSES)("keeps its streams when Redis $name", async ({ name, begin, end }, context) => {
  const platform = await Platform.start({ heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS, servers: 2 });
  const load = await Load.start(platform, { size: CLIENTS, contacts: 10 });
  const { leavers, stayers } = load.split(CLIENTS);
  await begin(platform);
  for (const viewer of leavers) viewer.close();
  const newcomer = new Viewer({ client: "newcomer", route: () => platform.servers[0] });
  newcomer.open();
  await sleep(OUTAGE_MS);
  const areServed = stayers.every(({ isLive, connections }) => isLive && connections === 1);
  expect(areServed, "streams that were open before").toBe(true);
  expect(newcomer.snapshots, "snapshots without current data").toBe(0);
  await end(platform);

  const correctMs = await load.waitUntilCorrect();
  await load.waitUntilLive([newcomer]);
  newcomer.close();
  await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();
  load.expectNoFalseEvents(stayers);
  report(context, {
    fault: `Redis ${name} for ${OUTAGE_MS / 1_000} s`,
    expected: "refusals with a clear reason, open streams continue, no false OFFLINE",
    measured: `${stayers.length} of ${stayers.length} streams continued, 0 seen OFFLINE, viewers correct after ${seconds(correctMs)}`,
  });
});

async function dumpFile(commands: Platform["commands"]): Promise<string> {
  const [, folder = ""] = (await commands.config("GET", "dir")) as string[];
  return join(folder, "dump.rdb");
}

async function waitForSave(commands: Platform["commands"], status: "ok" | "err"): Promise<void> {
  await waitFor(`the last save is ${status}`, async () =>
    (await commands.info("persistence")).includes(`rdb_last_bgsave_status:${status}`),
  );
}
