import { setTimeout as sleep } from "node:timers/promises";
import { barOf, type Panel } from "../charts/chart.ts";
import { BARE_HTTP, BETTER_SSE, colleaguePath, OURS, type Watchable } from "../contestants.ts";
import { closeAll, openCrowd } from "../load/crowd.ts";
import { nextOnes, writePeople } from "../load/people.ts";
import { RawStream } from "../load/raw-stream.ts";
import { mayOpen } from "../machine.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { startServerProcess } from "../server-process.ts";
import { median } from "../statistics.ts";
import { formatNumber, formatRatio } from "../table.ts";
import { atMost, type Verdict } from "../verdict.ts";

/** The fewer where no more files may be open. */
const CONNECTIONS = { few: 5_000, many: 15_000 };
const WARM_UP = 200;
const CONTACTS = 100;
/** Not until all is quiet: of so many, some are always sent their keep-alive. */
const SETTLE_MS = 3_000;
/** How much of the peers' memory ours may take. */
const OF_BETTER_SSE = 0.5;
const OF_BARE_HTTP = 1.2;

/** Bytes for each connection. */
interface Footprint {
  heap: number;
  resident: number;
}

export const idleMemory: Question = {
  name: "idle-memory",
  title: "Memory of an idle connection",
  connections: () => CONNECTIONS.few,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const count = mayOpen(CONNECTIONS.many) ? CONNECTIONS.many : CONNECTIONS.few;
  const rounds = effort.isLong ? 3 : 2;
  const redis = await RedisProcess.start();
  try {
    return await compare(await ourContestants(redis, count), count, rounds, effort);
  } finally {
    await redis.stop();
  }
}

async function compare(own: readonly Watchable[], count: number, rounds: number, effort: Effort): Promise<Answer> {
  const contestants = [...own, BETTER_SSE, { ...BARE_HTTP, name: "node:http, bare" }];
  const measured = contestants.map((contestant) => ({ contestant, footprints: [] as Footprint[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { contestant, footprints } of measured) {
      effort.onProgress(`round ${round + 1} of ${rounds}: ${contestant.name}, ${count} connections`);
      footprints.push(await measure(contestant, count, effort));
    }
  }
  const results = measured.map(({ contestant, footprints }) => ({
    name: contestant.name,
    heap: median(footprints.map(({ heap }) => heap)),
    resident: median(footprints.map(({ resident }) => resident)),
  }));
  const [ours] = results;
  return {
    header: ["server", "live heap kB", "of ours", "resident kB", "of ours"],
    rows: results.map(({ name, heap, resident }) => [
      name,
      formatNumber(heap / 1024),
      ours ? formatRatio(heap, ours.heap) : "",
      formatNumber(resident / 1024),
      ours ? formatRatio(resident, ours.resident) : "",
    ]),
    notes: [
      `Per connection, of ${formatNumber(count)} that nothing is sent to; the system's own socket buffers not counted.`,
      "Live heap: after two forced garbage collections. Resident: what the process grew by, so with the garbage collector's slack.",
    ],
    chart: {
      title: `${idleMemory.title}, of ${formatNumber(count)}`,
      panels: [
        panelOf("live heap for each connection", "heap", measured),
        panelOf("resident memory for each connection", "resident", measured),
      ],
      caption: `Medians of ${rounds} rounds; thin lines: from the least to the most.`,
    },
    verdicts: verdictsOn(results),
  };
}

interface Result extends Footprint {
  name: string;
}

function panelOf(
  measure: string,
  figure: keyof Footprint,
  measured: readonly { contestant: Watchable; footprints: readonly Footprint[] }[],
): Panel {
  const bars = measured.map(({ contestant, footprints }, index) =>
    barOf(
      contestant.name,
      footprints.map((footprint) => footprint[figure] / 1024),
      { isOurs: index < 2 },
    ),
  );
  const [, ours, betterSse, bare] = bars;
  if (!ours || !betterSse || !bare) throw new Error("needs ours and two peers.");
  const targets = [
    { value: OF_BETTER_SSE * betterSse.value, label: `aimed at: ${OF_BETTER_SSE} × better-sse` },
    { value: OF_BARE_HTTP * bare.value, label: `aimed at: ${OF_BARE_HTTP} × bare node:http` },
  ];
  return { measure, unit: "kB", better: "less", bars: bars.with(1, { ...ours, targets }) };
}

/** Of ours the one where each connection is another person's, which holds more. */
function verdictsOn([, ours, betterSse, bare]: readonly Result[]): Verdict[] {
  if (!ours || !betterSse || !bare) return [];
  return (["heap", "resident"] as const).flatMap((figure) => [
    atMost(OF_BETTER_SSE, `idle connection, ${figure}, of better-sse's`, ours[figure] / betterSse[figure]),
    atMost(OF_BARE_HTTP, `idle connection, ${figure}, of bare node:http's`, ours[figure] / bare[figure]),
  ]);
}

/** Tabs of a few people, and people of whom each has a list of their own, in Redis. */
async function ourContestants(redis: RedisProcess, count: number): Promise<Watchable[]> {
  const size = count + WARM_UP;
  await writePeople(redis, { size, contacts: CONTACTS, contactOf: nextOnes(size) });
  return [
    { ...OURS, name: "ours, tabs of three people" },
    {
      ...OURS,
      name: `ours, on Redis, each another person with ${CONTACTS} contacts`,
      env: { REDIS_URL: redis.server.url },
      watchPath: colleaguePath,
    },
  ];
}

async function measure(contestant: Watchable, count: number, { nodeArgs }: Effort): Promise<Footprint> {
  const server = await startServerProcess(contestant, nodeArgs);
  const streams: RawStream[] = [];
  const open = (index: number) => RawStream.open(server.port, contestant.watchPath(index));
  const settle = async () => {
    await sleep(SETTLE_MS);
    return server.memoryUsage();
  };
  try {
    closeAll(await openCrowd(WARM_UP, open));
    const before = await settle();
    streams.push(...(await openCrowd(count, (index) => open(index + WARM_UP))));
    const after = await settle();
    return {
      heap: (after.heapBytes - before.heapBytes) / count,
      resident: (after.residentBytes - before.residentBytes) / count,
    };
  } finally {
    closeAll(streams);
    await server.stop();
  }
}
