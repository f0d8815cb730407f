import type { ChildProcess } from "node:child_process";
import { type Bar, barOf, type Target } from "../charts/chart.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { describeMissingNchan, openBetterSse, openNchan, openSocketIo, type Stand } from "../stands.ts";
import { median } from "../statistics.ts";
import {
  eachOnce,
  measureSteady,
  openOurSteadyStand,
  orderCauses,
  paceOver,
  type Spans,
  type SteadyRound,
  type SteadyStand,
  startCauses,
} from "../steady-stand.ts";
import { formatNumber, formatRatio } from "../table.ts";
import { atMost, type Verdict } from "../verdict.ts";

const VIEWERS = 100;
const EVENTS_PER_SECOND = 1_000;
const HEARTBEAT_INTERVAL_MS = 1_000;
/** By the time that counts those who came first go, so that half of ours come and half go; and code that runs often is compiled. */
const SPANS: Spans = { warmUpMs: 2_000, measuredMs: 6_000 };
const VISITS = paceOver(SPANS, EVENTS_PER_SECOND / 2);
const BROADCASTS = paceOver(SPANS, EVENTS_PER_SECOND);
const MOST_LATENCY_MS = 25;

export const steady: Question = {
  name: "steady",
  title: `A steady ${formatNumber(EVENTS_PER_SECOND)} events a second to ${VIEWERS} viewers each, beside peers`,
  connections: () => 5 * VIEWERS,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const redis = await RedisProcess.start();
  const causes = startCauses();
  const stands: SteadyStand[] = [];
  const notes: string[] = [];
  try {
    const visits = { pace: VISITS, viewerCount: VIEWERS, heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS };
    stands.push(await openOurSteadyStand(redis, causes, visits, effort));
    stands.push(asPeer(await openBetterSse(VIEWERS, effort)));
    stands.push(asPeer(await openSocketIo(redis, VIEWERS, effort)));
    try {
      stands.push(await openNchanStand(causes));
    } catch (error) {
      notes.push(describeMissingNchan(error));
    }
    const measured = stands.map((stand) => ({ stand, rounds: [] as SteadyRound[] }));
    const rounds = effort.isLong ? 7 : 3;
    for (let round = 0; round < rounds; round++) {
      for (const { stand, rounds: own } of measured) {
        effort.onProgress(`round ${round + 1} of ${rounds}: ${stand.name}`);
        own.push(await measureSteady(stand, SPANS));
      }
    }
    return answer(measured, notes);
  } finally {
    causes.disconnect();
    for (const stand of stands) await stand.close();
    await redis.stop();
  }
}

/** Its own broadcast, by a timer of its own. */
function asPeer(stand: Stand): SteadyStand {
  return {
    ...stand,
    eventCount: BROADCASTS.count,
    eventOf: (colleague) => colleague - 1,
    async begin() {
      const url = `http://127.0.0.1:${stand.port}/steady/${BROADCASTS.count}/${BROADCASTS.perSecond}`;
      const { startMs } = (await (await fetch(url)).json()) as { startMs: number };
      const dueMs = Array.from(
        { length: BROADCASTS.count },
        (_, index) => startMs + (1_000 * index) / BROADCASTS.perSecond,
      );
      return { dueMs: Promise.resolve(dueMs) };
    },
  };
}

async function openNchanStand(causes: ChildProcess): Promise<SteadyStand> {
  const stand = await openNchan(VIEWERS);
  return {
    ...asPeer(stand),
    async begin() {
      const report = orderCauses(causes, { kind: "publications", pace: BROADCASTS, port: stand.port });
      return { dueMs: report.then(({ dueMs }) => dueMs) };
    },
  };
}

interface Measured {
  stand: SteadyStand;
  rounds: readonly SteadyRound[];
}

function barsOf(
  measured: readonly Measured[],
  figure: (round: SteadyRound) => number,
  targets: readonly Target[] = [],
): Bar[] {
  return measured.map(({ stand: { name }, rounds }, index) =>
    barOf(name, rounds.map(figure), index === 0 ? { isOurs: true, targets } : {}),
  );
}

function answer(measured: readonly Measured[], notes: readonly string[]): Answer {
  const results = measured.map(({ stand: { name }, rounds }) => {
    const of = (figure: (round: SteadyRound) => number) => median(rounds.map(figure));
    const sum = (figure: (round: SteadyRound) => number) => rounds.reduce((total, round) => total + figure(round), 0);
    return {
      name,
      events: of((round) => round.eventsPerSecond),
      delivered: sum((round) => round.delivered),
      expected: sum((round) => round.expected),
      p50: of(({ all }) => all.p50Ms),
      p99: of(({ all }) => all.p99Ms),
      worst: Math.max(...rounds.map(({ all }) => all.worstMs)),
      cpu: of((round) => round.cpuShare),
      reader: of((round) => round.readerShare),
    };
  });
  const [ours, ...peers] = results;
  if (!ours) throw new Error("there is nothing to compare.");
  const verdicts: Verdict[] = [
    eachOnce("steady, deliveries, each once", measured[0]?.rounds ?? []),
    atMost(MOST_LATENCY_MS, "steady, latency, 99th", ours.p99, "ms"),
    ...peers.map(({ name, cpu }) => atMost(1, `steady, CPU, of ${name}`, ours.cpu / cpu)),
  ];
  return {
    header: [
      "server",
      "events/s",
      "delivered",
      "median ms",
      "99th",
      "worst",
      "CPU, of a core",
      "of ours",
      "reader busy",
    ],
    rows: results.map((result) => [
      result.name,
      formatNumber(result.events),
      `${formatNumber(100 * (result.delivered / result.expected))} %`,
      formatNumber(result.p50),
      formatNumber(result.p99),
      formatNumber(result.worst),
      `${formatNumber(100 * result.cpu)} %`,
      formatRatio(result.cpu, ours.cpu),
      `${formatNumber(100 * result.reader)} %`,
    ]),
    notes: [
      `Half of our events are arrivals at another server, half are ends of leases that nobody prolonged: ${VISITS.perSecond} people a second who come, stay for ${(1.5 * HEARTBEAT_INTERVAL_MS) / 1_000} s and go, through Redis and the platform. Each viewer has a contact list of its own. Peers: their own broadcast, by a timer in their process; Nchan's publications come over one connection, one by one.`,
      "From when an event was due to each viewer's read: an arrival by the schedule, an end by the end of the lease, as Redis counts it. Who falls behind its schedule is late by so much.",
      `CPU is the server's, for ours with all of Redis's, over ${SPANS.measuredMs / 1_000} s of each round; of the latencies and of CPU the middle round counts. Who sends heartbeats or publications, and the reader, are processes of their own.`,
      ...notes,
    ],
    chart: {
      title: steady.title,
      panels: [
        {
          measure: "processor time of the server, % of a core",
          better: "less",
          bars: barsOf(measured, (round) => 100 * round.cpuShare),
        },
        {
          measure: "from the cause to a viewer's read, 99th percentile",
          unit: "ms",
          better: "less",
          isLogarithmic: true,
          bars: barsOf(measured, ({ all }) => all.p99Ms, [
            { value: MOST_LATENCY_MS, label: `aimed at: ${MOST_LATENCY_MS} ms` },
          ]),
        },
      ],
      caption: `Medians of ${measured[0]?.rounds.length} rounds; thin lines: from the least to the most. Ours goes through Redis and the platform, and Redis's time is in it.`,
    },
    verdicts,
  };
}
