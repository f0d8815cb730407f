import { setTimeout as sleep } from "node:timers/promises";
import { barOf } from "../charts/chart.ts";
import { colleagueId, OURS } from "../contestants.ts";
import { closeAll, lastReadMs, openCrowd, resetAll, untilQuiet, untilTold } from "../load/crowd.ts";
import { OtherServer } from "../load/other-server.ts";
import { writeDocument, writePeople } from "../load/people.ts";
import { RawStream } from "../load/raw-stream.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { peerProgram, startServerProcess } from "../server-process.ts";
import { median } from "../statistics.ts";
import { formatNumber } from "../table.ts";
import { atMost } from "../verdict.ts";

const CLIENTS = 15_000;
const VIEWERS = 1_000;
const CONTACTS = 100;
const HEARTBEAT_INTERVAL_MS = 4_000;
const LEASE_MS = 1.5 * HEARTBEAT_INTERVAL_MS;
const TARGET_MS = 1_000;

interface Crash {
  /** How long the same bytes take to the same reader, written to each viewer at once, ms. */
  bareMs: number;
  /** From the end of the first lease until the last viewer had been told of all of its contacts, ms. */
  lastRightMs: number;
  /** Between the ends of the first and of the last lease, ms. */
  endsSpreadMs: number;
  cpuMs: number;
  /** What share of that time the reader was busy for. */
  readerLoad: number;
}

export const serverCrash: Question = {
  name: "server-crash",
  title: `A server with ${formatNumber(CLIENTS)} clients is gone; ${formatNumber(VIEWERS)} viewers at another one are told`,
  connections: () => VIEWERS,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const crashes: Crash[] = [];
  const count = effort.isLong ? 9 : 3;
  for (let round = 0; round < count; round++) {
    effort.onProgress(`crash ${round + 1} of ${count}`);
    crashes.push(await measure(effort));
  }
  const latenesses = crashes.map(({ lastRightMs }) => lastRightMs);
  const worstMs = Math.max(...latenesses);
  return {
    header: [
      "last viewer right after, ms",
      "least – most",
      "ends within, ms",
      "CPU ms, server and Redis",
      "reader busy",
      "the bytes alone, ms",
    ],
    rows: [
      [
        formatNumber(median(latenesses)),
        `${formatNumber(Math.min(...latenesses))} – ${formatNumber(worstMs)}`,
        formatNumber(median(crashes.map(({ endsSpreadMs }) => endsSpreadMs))),
        formatNumber(median(crashes.map(({ cpuMs }) => cpuMs))),
        `${Math.round(100 * median(crashes.map(({ readerLoad }) => readerLoad)))} %`,
        formatNumber(median(crashes.map(({ bareMs }) => bareMs))),
      ],
    ],
    notes: [
      `From the end of the first lease, by Redis's clock, to the last viewer's read. The clients' last heartbeats come in one moment, so that all leases end together; each viewer has ${CONTACTS} of them as contacts, and is told of just these.`,
      "The bytes alone: as many, from one entry of a stream, in one write to each viewer, to the same reader.",
    ],
    chart: {
      title: serverCrash.title,
      panels: [
        {
          measure: "from the first lease's end",
          unit: "ms",
          better: "less",
          bars: [
            barOf(
              "the last lease has ended",
              crashes.map(({ endsSpreadMs }) => endsSpreadMs),
            ),
            barOf("the last viewer has been told of all", latenesses, {
              isOurs: true,
              targets: [{ value: TARGET_MS, label: `aimed at: ${formatNumber(TARGET_MS)} ms` }],
            }),
          ],
        },
      ],
      caption: `Medians of ${count} rounds; thin lines: from the least to the most.`,
    },
    verdicts: [atMost(TARGET_MS, "server crash, every viewer right after the lease's end", worstMs, "ms")],
  };
}

async function measure({ nodeArgs }: Effort): Promise<Crash> {
  const redis = await RedisProcess.start();
  const clients = Array.from({ length: CLIENTS }, (_, index) => colleagueId(index));
  await writePeople(redis, { size: CLIENTS, contacts: 0, contactOf: colleagueId });
  for (let viewer = 0; viewer < VIEWERS; viewer++) await writeDocument(redis, viewerId(viewer), contactsOf(viewer));
  const env = { REDIS_URL: redis.server.url, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
  const server = await startServerProcess({ ...OURS, env }, nodeArgs);
  const elsewhere = await OtherServer.join(redis, HEARTBEAT_INTERVAL_MS);
  const viewers = await openCrowd(VIEWERS, (index) => RawStream.open(server.port, `/events/${viewerId(index)}`));
  await untilTold(viewers, CONTACTS + 1);
  resetAll(viewers);
  const endsMs = (await elsewhere.heartbeat(clients)).map((atMs) => atMs + LEASE_MS);
  await untilTold(viewers, CONTACTS);
  await untilQuiet(viewers);
  const firstEndMs = Math.min(...endsMs);
  await sleep(firstEndMs - Date.now() - HEARTBEAT_INTERVAL_MS / 4);
  resetAll(viewers);
  const cpuMs = async () => (await server.processorUsage()).cpuMs + (await redis.cpuMs());
  const cpuBefore = await cpuMs();
  const [readerBefore, bytesBefore] = [process.cpuUsage(), bytesRead(viewers)];
  await sleep(firstEndMs - Date.now());
  await untilTold(viewers, CONTACTS);
  const lastRightMs = performance.timeOrigin + lastReadMs(viewers) - firstEndMs;
  const reader = process.cpuUsage(readerBefore);
  const used = (await cpuMs()) - cpuBefore;
  await untilQuiet(viewers);
  const wrong = viewers.filter(({ objects }) => objects !== CONTACTS).length;
  if (wrong > 0) throw new Error(`told ${wrong} viewers of something else than their contacts.`);
  const bytesEach = Math.round((bytesRead(viewers) - bytesBefore) / VIEWERS);
  closeAll(viewers);
  await server.stop();
  const bareMs = await measureBare(redis, bytesEach, nodeArgs);
  await redis.stop();
  return {
    bareMs,
    lastRightMs,
    endsSpreadMs: Math.max(...endsMs) - firstEndMs,
    cpuMs: used,
    readerLoad: (reader.user + reader.system) / 1000 / lastRightMs,
  };
}

function bytesRead(viewers: readonly RawStream[]): number {
  return viewers.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** @returns from an entry of a stream to the last viewer's read, ms */
async function measureBare(redis: RedisProcess, bytesEach: number, nodeArgs: readonly string[]): Promise<number> {
  const env = { REDIS_URL: redis.server.url };
  const bridge = await startServerProcess({ name: "bare bridge", program: peerProgram("bare-bridge"), env }, nodeArgs);
  const viewers = await openCrowd(VIEWERS, () => RawStream.open(bridge.port, "/watch"));
  const data = "{".repeat(CONTACTS).padEnd(bytesEach, " ");
  let tookMs = 0;
  // The first time warms it up.
  for (let time = 0; time < 2; time++) {
    await untilQuiet(viewers);
    resetAll(viewers);
    const startMs = performance.now();
    await redis.commands.xadd("bridge", "*", "data", data);
    await untilTold(viewers, CONTACTS);
    tookMs = lastReadMs(viewers) - startMs;
  }
  closeAll(viewers);
  await bridge.stop();
  return tookMs;
}

function viewerId(index: number): string {
  return `viewer-${index}`;
}

/** Spread over all clients, so that each has some viewers. */
function contactsOf(viewer: number): string[] {
  return Array.from({ length: CONTACTS }, (_, step) => colleagueId((viewer * 15 + step * 149) % CLIENTS));
}
