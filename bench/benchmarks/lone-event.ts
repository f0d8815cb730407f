import { setTimeout as sleep } from "node:timers/promises";
import { median } from "@presence/testkit";
import { defineBenchmark, type Run } from "../benchmark.ts";
import { colleagueId } from "../load/colleagues.ts";
import { joinRemoteServer } from "../load/heartbeats.ts";
import { RawStream } from "../load/raw-stream.ts";
import { openStreams, untilQuiet } from "../load/streams.ts";
import { formatNumber } from "../report/table.ts";
import { atMost } from "../report/verdict.ts";
import { BARE_BRIDGE, oursWithColleagues } from "../setup/programs.ts";
import { RedisProcess } from "../setup/redis-process.ts";
import { startServer } from "../setup/server-process.ts";

const WARM_UP = 50;
const EVENTS = 300;
/** Between two events, ms, so that none shares a write with another. */
const PAUSE_MS = 15;
const TARGET_MS = 2;
/** So long that no lease ends during a round. */
const HEARTBEAT_INTERVAL_MS = 60_000;
const BARE = "XADD → blocked XREAD → write to the socket";

export const loneEvent = defineBenchmark<"ours" | "bare">({
  name: "lone-event",
  title: "A single event, from a heartbeat in Redis to a reader",
  connections: 2,
  rounds: { usual: 3, long: 7 },
  setUp: async () => [{ name: "ours: heartbeat → platform → server → reader" }],
  measure,
  report([ours]) {
    const addedMs = ours.rounds.map((round) => median([round.ours].flat()) - median([round.bare].flat()));
    const ways = [
      { figure: "ours", name: ours.name, isOurs: true },
      { figure: "bare", name: BARE, isOurs: false },
    ] as const;
    const bars = ways.map(({ figure, name, isOurs }) => {
      const spread = { least: ours.percentile(figure, 0.01), most: ours.percentile(figure, 0.99) };
      const note = isOurs ? { note: `${formatNumber(median(addedMs))} ms more` } : {};
      return ours.bar(figure, { name, isOurs, spread, ...note });
    });
    return {
      table: {
        header: ["path", "median ms", "p90", "p99"],
        rows: ways.map(({ figure, name }) => [
          name,
          ...[0.5, 0.9, 0.99].map((share) => ours.percentile(figure, share)),
        ]),
      },
      notes: [
        `Alternately on one Redis, ${PAUSE_MS} ms apart. Added by ours at the median: ${addedMs.map(formatNumber).join(", ")} ms in the rounds. Ours is two streams and a call of the presence logic; the other path is one stream.`,
      ],
      targets: [
        atMost(TARGET_MS, "single event, added at the median", median(addedMs), "ms", {
          bar: ours.name,
          value: ours.median("bare") + TARGET_MS,
          label: `target: ${TARGET_MS} ms more than the bare path`,
        }),
      ],
      chart: {
        caption: `${formatNumber(ours.values("ours").length)} events each, alternately; thin lines: 1st to 99th percentile.`,
        panels: [{ measure: "from the cause to the reader, median", unit: "ms", better: "less", bars }],
      },
    };
  },
});

async function measure(run: Run): Promise<{ ours: number[]; bare: number[] }> {
  const events = run.scaled(EVENTS);
  const redis = await RedisProcess.start();
  const program = oursWithColleagues(WARM_UP + events);
  const env = redis.env(HEARTBEAT_INTERVAL_MS);
  const server = await startServer({ ...program, env });
  const bridge = await startServer({ ...BARE_BRIDGE, env });
  const [ourReader, bareReader] = await openStreams(2, (index) =>
    index === 0 ? RawStream.open(server.port, program.watchPath(0)) : RawStream.open(bridge.port, "/watch"),
  );
  if (!ourReader || !bareReader) throw new Error("needs two readers.");
  await untilQuiet([ourReader, bareReader]);
  const remote = await joinRemoteServer(redis, HEARTBEAT_INTERVAL_MS);
  const latencies = { ours: [] as number[], bare: [] as number[] };
  for (let index = 0; index < WARM_UP + events; index++) {
    const client = colleagueId(index);
    latencies.ours.push(await latencyOf(ourReader, () => remote.heartbeat([client])));
    const send = () =>
      redis.commands.xadd("bridge", "*", "data", JSON.stringify({ client, status: "ONLINE", since: Date.now() }));
    latencies.bare.push(await latencyOf(bareReader, send));
  }
  return { ours: latencies.ours.slice(WARM_UP), bare: latencies.bare.slice(WARM_UP) };
}

/** @returns the time from the cause until the reader receives the event, ms */
async function latencyOf(reader: RawStream, cause: () => Promise<unknown>): Promise<number> {
  reader.reset();
  const startMs = performance.now();
  void cause();
  await reader.received(1);
  const latencyMs = reader.firstObjectMs - startMs;
  await sleep(PAUSE_MS);
  return latencyMs;
}
