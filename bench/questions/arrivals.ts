import { barOf } from "../charts/chart.ts";
import { BARE_HTTP, BETTER_SSE, colleaguePath, OURS, type Watchable } from "../contestants.ts";
import { closeAll } from "../load/crowd.ts";
import { writePeople } from "../load/people.ts";
import { RawStream } from "../load/raw-stream.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { startServerProcess } from "../server-process.ts";
import { median } from "../statistics.ts";
import { formatNumber, formatRatio } from "../table.ts";
import { atLeast } from "../verdict.ts";

const CONTACTS = 100;
const WARM_UP = 3_000;
const ARRIVALS = 6_000;
/** How many are on their way at any time: enough that the server never waits for one. */
const ON_THEIR_WAY = 64;
/** How many times better-sse's rate ours is to be. */
const TARGET = 2;

interface Entrant extends Watchable {
  /** JSON objects with which a stream has begun. */
  objectsAtFirst: number;
}

interface Round {
  perSecond: number;
  cpuMicrosEach: number;
  readerLoad: number;
}

export const arrivals: Question = {
  name: "arrivals",
  title: `Connections accepted a second, a snapshot of ${CONTACTS} contacts included`,
  connections: () => WARM_UP + ARRIVALS,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const entrants: Entrant[] = [
    { ...OURS, name: "ours, through Redis, with a snapshot", watchPath: colleaguePath, objectsAtFirst: CONTACTS + 1 },
    { ...BETTER_SSE, name: `${BETTER_SSE.name}, without any`, objectsAtFirst: 0 },
    { ...BARE_HTTP, name: "node:http, a head and no more", objectsAtFirst: 0 },
  ];
  const measured = entrants.map((entrant) => ({ entrant, rounds: [] as Round[] }));
  const count = effort.isLong ? 9 : 5;
  for (let round = 0; round < count; round++) {
    for (const { entrant, rounds } of measured) {
      effort.onProgress(`round ${round + 1} of ${count}: ${entrant.name}`);
      rounds.push(await measure(entrant, effort));
    }
  }
  const results = measured.map(({ entrant, rounds }) => {
    const rates = rounds.map(({ perSecond }) => perSecond);
    return {
      name: entrant.name,
      rates,
      rate: median(rates),
      spread: `${formatNumber(Math.min(...rates))} – ${formatNumber(Math.max(...rates))}`,
      cpu: median(rounds.map(({ cpuMicrosEach }) => cpuMicrosEach)),
      readerLoad: median(rounds.map(({ readerLoad }) => readerLoad)),
    };
  });
  const [ours, betterSse] = results;
  const targets = betterSse ? [{ value: TARGET * betterSse.rate, label: `aimed at: ${TARGET} × better-sse` }] : [];
  return {
    header: ["server", "connections/s", "least – most", "ours is", "CPU µs each", "reader busy"],
    rows: results.map(({ name, rate, spread, cpu, readerLoad }) => [
      name,
      formatNumber(rate),
      spread,
      ours ? formatRatio(ours.rate, rate) : "",
      formatNumber(cpu),
      `${Math.round(100 * readerLoad)} %`,
    ]),
    notes: [
      `${formatNumber(ARRIVALS)} people, ${ON_THEIR_WAY} of them on their way at any time; each is there when its snapshot is, or for the peer, when its response begins. CPU is the server's, for ours with all of Redis's.`,
      "Ours also sets a lease for each, says whom it watches, and has the platform announce it. None of the contacts is there, so that nobody is told of it.",
      "Bare node:http, which writes a head and does nothing else, is what one process on node:http can reach at all.",
    ],
    chart: {
      title: arrivals.title,
      panels: [
        {
          measure: "connections per second",
          better: "more",
          bars: results.map(({ name, rates, rate }, index) =>
            ours && index > 0
              ? barOf(name, rates, { note: `ours is ${formatRatio(ours.rate, rate)}` })
              : barOf(name, rates, { isOurs: true, targets }),
          ),
        },
      ],
      caption: `Medians of ${count} rounds of ${formatNumber(ARRIVALS)}; thin lines: from the least to the most. Only ours has contacts to tell of.`,
    },
    verdicts:
      ours && betterSse
        ? [atLeast(TARGET, "connections/s, of better-sse's without a snapshot", ours.rate / betterSse.rate)]
        : [],
  };
}

/** A fresh server and a fresh Redis each time. */
async function measure(entrant: Entrant, { nodeArgs }: Effort): Promise<Round> {
  const redis = await RedisProcess.start();
  const size = WARM_UP + ARRIVALS;
  // Of another department, where nobody is at work: what a change costs is another question.
  await writePeople(redis, { size, contacts: CONTACTS, contactOf: (index, step) => `absent-${(index + step) % size}` });
  const server = await startServerProcess({ ...entrant, env: { REDIS_URL: redis.server.url } }, nodeArgs);
  const cpuMs = async () => (await server.processorUsage()).cpuMs + (await redis.cpuMs());
  const arrive = async (from: number, to: number) => {
    const streams: RawStream[] = [];
    const left = Array.from({ length: to - from }, (_, index) => from + index).values();
    const comeOneByOne = async () => {
      for (const index of left) {
        const stream = await RawStream.open(server.port, entrant.watchPath(index));
        await stream.told(entrant.objectsAtFirst);
        streams.push(stream);
      }
    };
    await Promise.all(Array.from({ length: ON_THEIR_WAY }, comeOneByOne));
    return streams;
  };
  const warm = await arrive(0, WARM_UP);
  const cpuBefore = await cpuMs();
  const readerBefore = process.cpuUsage();
  const startMs = performance.now();
  const streams = await arrive(WARM_UP, WARM_UP + ARRIVALS);
  const wallMs = performance.now() - startMs;
  const reader = process.cpuUsage(readerBefore);
  const serverMs = (await cpuMs()) - cpuBefore;
  closeAll([...warm, ...streams]);
  await server.stop();
  await redis.stop();
  return {
    perSecond: (ARRIVALS / wallMs) * 1000,
    cpuMicrosEach: (serverMs / ARRIVALS) * 1000,
    readerLoad: (reader.user + reader.system) / 1000 / wallMs,
  };
}
