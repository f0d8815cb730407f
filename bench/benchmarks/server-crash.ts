import { setTimeout as sleep } from "node:timers/promises";
import { defineBenchmark, type Run } from "../benchmark.ts";
import { colleagueId, colleagueIds } from "../load/colleagues.ts";
import { writeContacts } from "../load/contact-documents.ts";
import { joinRemoteServer } from "../load/heartbeats.ts";
import { RawStream } from "../load/raw-stream.ts";
import { lastReadMs, measureUsage, openStreams, resetAll, untilQuiet, untilReceived } from "../load/streams.ts";
import { formatNumber, formatShare } from "../report/table.ts";
import { atMost } from "../report/verdict.ts";
import { BARE_BRIDGE, OURS } from "../setup/programs.ts";
import { RedisProcess } from "../setup/redis-process.ts";
import { startServer } from "../setup/server-process.ts";

const CLIENTS = 15_000;
const VIEWERS = 1_000;
const CONTACTS = 100;
const HEARTBEAT_INTERVAL_MS = 4_000;
const LEASE_MS = 1.5 * HEARTBEAT_INTERVAL_MS;
const TARGET_MS = 1_000;

/**
 * `lastViewerMs`: from the end of the first lease until the last viewer has received all of its contacts.
 * `endsSpreadMs`: between the ends of the first and the last lease.
 * `bareMs`: how long the same bytes take in one write to each viewer.
 */
type Figure = "lastViewerMs" | "endsSpreadMs" | "cpuMs" | "readerShare" | "bareMs";

export const serverCrash = defineBenchmark<Figure>({
  name: "server-crash",
  title: `A server with ${formatNumber(CLIENTS)} clients crashes; ${formatNumber(VIEWERS)} viewers at another server are notified`,
  connections: VIEWERS,
  rounds: { usual: 3, long: 9 },
  measure,
  report([ours], run) {
    const last = "the last viewer has received all";
    return {
      columns: [
        ["last viewer notified, ms", "lastViewerMs"],
        ["min – max", (sample) => sample.spread("lastViewerMs")],
        ["leases end within, ms", "endsSpreadMs"],
        ["CPU ms, server and Redis", "cpuMs"],
        ["reader busy", (sample) => formatShare(sample.median("readerShare"))],
        ["the bytes alone, ms", "bareMs"],
      ],
      notes: [
        `From the end of the first lease, by Redis's clock, to the last viewer's read. The last heartbeats of all clients come at the same time, so that all leases end together. Each viewer has ${CONTACTS} of the clients as contacts, and receives their events alone.`,
        "The bytes alone: the same number of bytes from one entry of a stream, in one write to each viewer, to the same reader.",
      ],
      targets: [
        atMost(TARGET_MS, "server crash, last viewer notified after the lease's end", ours.max("lastViewerMs"), "ms", {
          bar: last,
        }),
      ],
      chart: {
        caption: run.caption(),
        panels: [
          {
            measure: "time since the end of the first lease",
            unit: "ms",
            better: "less",
            bars: [
              ours.bar("endsSpreadMs", { name: "the last lease has ended", isOurs: false }),
              ours.bar("lastViewerMs", { name: last }),
            ],
          },
        ],
      },
    };
  },
});

async function measure(run: Run): Promise<Record<Figure, number>> {
  const clients = colleagueIds(run.scaled(CLIENTS));
  const viewerIds = Array.from({ length: run.scaled(VIEWERS) }, (_, index) => `viewer-${index}`);
  const redis = await RedisProcess.start();
  await writeContacts(redis, clients);
  await writeContacts(redis, viewerIds, (viewer) => contactsOf(viewer, clients.length));
  const server = await startServer({ ...OURS, env: redis.env(HEARTBEAT_INTERVAL_MS) });
  const remote = await joinRemoteServer(redis, HEARTBEAT_INTERVAL_MS);
  const viewers = await openStreams(viewerIds.length, (index) =>
    RawStream.open(server.port, `/events/${viewerIds[index]}`),
  );
  await untilReceived(viewers, CONTACTS + 1);
  resetAll(viewers);
  const endsMs = (await remote.heartbeat(clients)).map((atMs) => atMs + LEASE_MS);
  await untilReceived(viewers, CONTACTS);
  await untilQuiet(viewers);
  const firstEndMs = Math.min(...endsMs);
  await sleep(firstEndMs - Date.now() - HEARTBEAT_INTERVAL_MS / 4);
  resetAll(viewers);
  const bytesBefore = bytesRead(viewers);
  const { wallMs, usedMs, readerShare } = await measureUsage(redis.cpuMsWith(server), async () => {
    await sleep(firstEndMs - Date.now());
    await untilReceived(viewers, CONTACTS);
    return performance.timeOrigin + lastReadMs(viewers) - firstEndMs;
  });
  await untilQuiet(viewers);
  const wrong = viewers.filter(({ objects }) => objects !== CONTACTS).length;
  if (wrong > 0) throw new Error(`${wrong} viewers received events of clients that are not their contacts.`);
  const bytesEach = Math.round((bytesRead(viewers) - bytesBefore) / viewers.length);
  await server.process.stop();
  return {
    lastViewerMs: wallMs,
    endsSpreadMs: Math.max(...endsMs) - firstEndMs,
    cpuMs: usedMs,
    readerShare,
    bareMs: await measureBare(redis, viewers.length, bytesEach),
  };
}

function bytesRead(viewers: readonly RawStream[]): number {
  return viewers.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** @returns the time from an entry of a stream to the last viewer's read, ms */
async function measureBare(redis: RedisProcess, viewerCount: number, bytesEach: number): Promise<number> {
  const bridge = await startServer({ ...BARE_BRIDGE, env: { REDIS_URL: redis.url } });
  const viewers = await openStreams(viewerCount, () => RawStream.open(bridge.port, "/watch"));
  const data = "{".repeat(CONTACTS).padEnd(bytesEach, " ");
  let tookMs = 0;
  // The first time warms up.
  for (let time = 0; time < 2; time++) {
    await untilQuiet(viewers);
    resetAll(viewers);
    const startMs = performance.now();
    await redis.commands.xadd("bridge", "*", "data", data);
    await untilReceived(viewers, CONTACTS);
    tookMs = lastReadMs(viewers) - startMs;
  }
  return tookMs;
}

/** Spread over all clients, so that each has some viewers. */
function contactsOf(viewer: number, clients: number): string[] {
  return Array.from({ length: CONTACTS }, (_, step) => colleagueId((viewer * 15 + step * 149) % clients));
}
