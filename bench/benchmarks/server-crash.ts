import { setTimeout as sleep } from "node:timers/promises";
import { captionOf, defineBenchmark, type Effort } from "../benchmark.ts";
import { writeColleagues, writeDocument } from "../load/contact-documents.ts";
import { RawStream } from "../load/raw-stream.ts";
import { RemoteServer } from "../load/remote-server.ts";
import { lastReadMs, openStreams, resetAll, startReaderLoad, untilQuiet, untilReceived } from "../load/streams.ts";
import { formatNumber, formatShare } from "../report/table.ts";
import { atMost } from "../report/verdict.ts";
import { BARE_BRIDGE, colleagueId, colleagueIds, OURS } from "../setup/programs.ts";
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
  setUp: async (effort) => ({ peers: [{ name: "ours", isOurs: true, measure: () => measure(effort) }] }),
  report([ours], run) {
    const last = "the last viewer has received all";
    return {
      columns: [
        ["last viewer notified, ms", (sample) => sample.median("lastViewerMs")],
        ["min – max", (sample) => sample.spread("lastViewerMs")],
        ["leases end within, ms", (sample) => sample.median("endsSpreadMs")],
        ["CPU ms, server and Redis", (sample) => sample.median("cpuMs")],
        ["reader busy", (sample) => formatShare(sample.median("readerShare"))],
        ["the bytes alone, ms", (sample) => sample.median("bareMs")],
      ],
      notes: [
        `From the end of the first lease, by Redis's clock, to the last viewer's read. The last heartbeats of all clients come at the same time, so that all leases end together. Each viewer has ${CONTACTS} of the clients as contacts, and receives their events alone.`,
        "The bytes alone: the same number of bytes from one entry of a stream, in one write to each viewer, to the same reader.",
      ],
      targets: [
        {
          ...atMost(
            TARGET_MS,
            "server crash, last viewer notified after the lease's end",
            ours.max("lastViewerMs"),
            "ms",
          ),
          mark: { bar: last, value: TARGET_MS, label: `target: ${formatNumber(TARGET_MS)} ms` },
        },
      ],
      chart: {
        caption: captionOf(run),
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

async function measure(effort: Effort): Promise<Record<Figure, number>> {
  const [clients, viewerCount] = [effort.scaled(CLIENTS), effort.scaled(VIEWERS)];
  const redis = await RedisProcess.start();
  await writeColleagues(redis, clients, () => []);
  const viewerId = (index: number) => `viewer-${index}`;
  for (let viewer = 0; viewer < viewerCount; viewer++) {
    await writeDocument(redis, viewerId(viewer), contactsOf(viewer, clients));
  }
  const env = { REDIS_URL: redis.url, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
  const server = await startServer({ ...OURS, env }, effort.nodeArgs);
  const remote = await RemoteServer.join(redis, HEARTBEAT_INTERVAL_MS);
  const viewers = await openStreams(viewerCount, (index) => RawStream.open(server.port, `/events/${viewerId(index)}`));
  await untilReceived(viewers, CONTACTS + 1);
  resetAll(viewers);
  const endsMs = (await remote.heartbeat(colleagueIds(clients))).map((atMs) => atMs + LEASE_MS);
  await untilReceived(viewers, CONTACTS);
  await untilQuiet(viewers);
  const firstEndMs = Math.min(...endsMs);
  await sleep(firstEndMs - Date.now() - HEARTBEAT_INTERVAL_MS / 4);
  resetAll(viewers);
  const cpuMs = async () => (await server.cpuMs()) + (await redis.cpuMs());
  const [cpuBefore, bytesBefore] = [await cpuMs(), bytesRead(viewers)];
  const readerLoad = startReaderLoad();
  await sleep(firstEndMs - Date.now());
  await untilReceived(viewers, CONTACTS);
  const lastViewerMs = performance.timeOrigin + lastReadMs(viewers) - firstEndMs;
  const readerShare = readerLoad(lastViewerMs);
  const usedMs = (await cpuMs()) - cpuBefore;
  await untilQuiet(viewers);
  const wrong = viewers.filter(({ objects }) => objects !== CONTACTS).length;
  if (wrong > 0) throw new Error(`${wrong} viewers received events of clients that are not their contacts.`);
  const bytesEach = Math.round((bytesRead(viewers) - bytesBefore) / viewerCount);
  await server.process.stop();
  return {
    lastViewerMs,
    endsSpreadMs: Math.max(...endsMs) - firstEndMs,
    cpuMs: usedMs,
    readerShare,
    bareMs: await measureBare(redis, viewerCount, bytesEach, effort.nodeArgs),
  };
}

function bytesRead(viewers: readonly RawStream[]): number {
  return viewers.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** @returns the time from an entry of a stream to the last viewer's read, ms */
async function measureBare(
  redis: RedisProcess,
  viewerCount: number,
  bytesEach: number,
  nodeArgs: readonly string[],
): Promise<number> {
  const bridge = await startServer({ ...BARE_BRIDGE, env: { REDIS_URL: redis.url } }, nodeArgs);
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
