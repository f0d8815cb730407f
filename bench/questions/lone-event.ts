import { setTimeout as sleep } from "node:timers/promises";
import type { Bar } from "../charts/chart.ts";
import { colleagueId, oursWithColleagues } from "../contestants.ts";
import { untilQuiet } from "../load/crowd.ts";
import { OtherServer } from "../load/other-server.ts";
import { RawStream } from "../load/raw-stream.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { peerProgram, startServerProcess } from "../server-process.ts";
import { median, percentile } from "../statistics.ts";
import { formatNumber } from "../table.ts";
import { atMost, type Verdict } from "../verdict.ts";

const WARM_UP = 50;
const EVENTS = 300;
/** Between two events, so that each has nothing to be joined with; ms. */
const PAUSE_MS = 15;
const TARGET_MS = 2;
/** So that nobody's lease ends while it is measured. */
const HEARTBEAT_INTERVAL_MS = 60_000;

const OURS = "ours: heartbeat → platform → server → reader";
const BARE = "XADD → blocked XREAD → a write to the socket";

export const loneEvent: Question = {
  name: "lone-event",
  title: "One lone event, from a heartbeat in Redis to a reader",
  connections: () => 2,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const rounds: { ours: number[]; bare: number[] }[] = [];
  const count = effort.isLong ? 7 : 3;
  for (let round = 0; round < count; round++) {
    effort.onProgress(`round ${round + 1} of ${count}`);
    rounds.push(await measure(effort));
  }
  const all = { ours: rounds.flatMap(({ ours }) => ours), bare: rounds.flatMap(({ bare }) => bare) };
  const addedMs = rounds.map(({ ours, bare }) => median(ours) - median(bare));
  const row = (name: string, latencies: readonly number[]) => [
    name,
    ...[0.5, 0.9, 0.99].map((share) => formatNumber(percentile(latencies, share))),
  ];
  return {
    header: ["way", "median ms", "90th", "99th"],
    rows: [row(OURS, all.ours), row(BARE, all.bare)],
    notes: [
      `In turns, on one Redis, ${PAUSE_MS} ms apart. What ours adds at the median: ${addedMs.map(formatNumber).join(", ")} ms in the rounds. Ours are two streams and a call of the logic, the other is one stream.`,
    ],
    chart: {
      title: loneEvent.title,
      panels: [
        {
          measure: "from the cause to the reader, at the median",
          unit: "ms",
          better: "less",
          bars: [
            {
              ...barOf(OURS, all.ours),
              isOurs: true,
              note: `${formatNumber(median(addedMs))} ms more`,
              targets: [
                { value: median(all.bare) + TARGET_MS, label: `aimed at: ${TARGET_MS} ms more than the bare way` },
              ],
            },
            barOf(BARE, all.bare),
          ],
        },
      ],
      caption: `${formatNumber(all.ours.length)} events each, in turns; thin lines: from the 1st to the 99th percentile.`,
    },
    verdicts: [verdictOn(median(addedMs))],
  };
}

function barOf(name: string, latencies: readonly number[]): Bar {
  const spread = { least: percentile(latencies, 0.01), most: percentile(latencies, 0.99) };
  return { name, isOurs: false, value: median(latencies), spread };
}

function verdictOn(addedMs: number): Verdict {
  return atMost(TARGET_MS, "a lone event, added at the median", addedMs, "ms");
}

async function measure({ nodeArgs }: Effort): Promise<{ ours: number[]; bare: number[] }> {
  const redis = await RedisProcess.start();
  const contestant = oursWithColleagues(WARM_UP + EVENTS);
  const env = { REDIS_URL: redis.server.url, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
  const server = await startServerProcess({ ...contestant, env }, nodeArgs);
  const bridge = await startServerProcess({ name: "bare bridge", program: peerProgram("bare-bridge"), env }, nodeArgs);
  const readers = [
    await RawStream.open(server.port, contestant.watchPath(0)),
    await RawStream.open(bridge.port, "/watch"),
  ] as const;
  await untilQuiet(readers);
  const elsewhere = await OtherServer.join(redis, HEARTBEAT_INTERVAL_MS);
  const ours: number[] = [];
  const bare: number[] = [];
  for (let index = 0; index < WARM_UP + EVENTS; index++) {
    const client = colleagueId(index);
    ours.push(await latencyOf(readers[0], () => elsewhere.heartbeat([client])));
    bare.push(
      await latencyOf(readers[1], () =>
        redis.commands.xadd("bridge", "*", "data", JSON.stringify({ client, status: "ONLINE", since: Date.now() })),
      ),
    );
  }
  for (const reader of readers) reader.close();
  await server.stop();
  await bridge.stop();
  await redis.stop();
  return { ours: ours.slice(WARM_UP), bare: bare.slice(WARM_UP) };
}

/** @returns how long it takes from the cause until the reader is told, in ms */
async function latencyOf(reader: RawStream, cause: () => Promise<unknown>): Promise<number> {
  reader.reset();
  const startMs = performance.now();
  void cause();
  await reader.told(1);
  const latencyMs = reader.firstObjectMs - startMs;
  await sleep(PAUSE_MS);
  return latencyMs;
}
