import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { barOf } from "../charts/chart.ts";
import { colleagueId, oursWithColleagues } from "../contestants.ts";
import { lastReadMs, resetAll, untilQuiet, untilTold } from "../load/crowd.ts";

import { OtherServer } from "../load/other-server.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { describeMissingNchan, openBetterSse, openNchan, openOurs, openSocketIo, type Stand } from "../stands.ts";
import { median } from "../statistics.ts";
import { formatNumber, formatRatio } from "../table.ts";
import { atLeast } from "../verdict.ts";

const VIEWERS = 1_000;
const EVENTS = 200;
const DELIVERIES = VIEWERS * EVENTS;
const HEARTBEAT_INTERVAL_MS = 1_000;
const PAUSE_MS = 200;
/** How often each is asked in its turn, beside once that doesn't count: who was idle is cold. */
const ROUNDS_PER_TURN = 3;

/** A server with its viewers, ready for a round. */
interface BurstStand extends Stand {
  /** How many times the peer's deliveries per second ours are to be. */
  target?: number;
  /** Has all viewers told of all events. */
  burst(): void;
  /** Resolves when another burst may follow. */
  settle(): Promise<void>;
}

interface Round {
  deliveriesPerSecond: number;
  cpuMicrosPerDelivery: number;
  readerLoad: number;
}

export const burst: Question = {
  name: "burst",
  title: `A burst of ${EVENTS} events to ${formatNumber(VIEWERS)} viewers, beside peers`,
  connections: () => 4 * VIEWERS,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const redis = await RedisProcess.start();
  const stands: BurstStand[] = [];
  const notes: string[] = [];
  try {
    stands.push(await openOurStand(redis, effort));
    stands.push(asPeer(await openBetterSse(VIEWERS, effort), 25));
    stands.push(asPeer(await openSocketIo(redis, VIEWERS, effort), 15));
    try {
      stands.push(await openNchanStand());
    } catch (error) {
      notes.push(describeMissingNchan(error));
    }
    const measured = stands.map((stand) => ({ stand, rounds: [] as Round[] }));
    const turns = effort.isLong ? 6 : 3;
    // The first turn warms up: code that has run often enough is compiled.
    for (let turn = 0; turn <= turns; turn++) {
      for (const { stand, rounds } of measured) {
        effort.onProgress(`turn ${turn} of ${turns}: ${stand.name}`);
        await measure(stand);
        for (let round = 0; round < ROUNDS_PER_TURN; round++) {
          const figures = await measure(stand);
          if (turn > 0) rounds.push(figures);
        }
      }
    }
    return answer(measured, notes);
  } finally {
    for (const stand of stands) await stand.close();
    await redis.stop();
  }
}

async function measure({ viewers, burst, settle, cpuMs }: BurstStand): Promise<Round> {
  resetAll(viewers);
  const cpuBefore = await cpuMs();
  const readerBefore = process.cpuUsage();
  const startMs = performance.now();
  burst();
  await untilTold(viewers, EVENTS);
  const reader = process.cpuUsage(readerBefore);
  const serverMs = (await cpuMs()) - cpuBefore;
  const wallMs = lastReadMs(viewers) - startMs;
  await settle();
  return {
    deliveriesPerSecond: (DELIVERIES / wallMs) * 1000,
    cpuMicrosPerDelivery: (serverMs / DELIVERIES) * 1000,
    readerLoad: (reader.user + reader.system) / 1000 / wallMs,
  };
}

/** Another server's clients begin to live, and no heartbeat follows: ONLINE of all of them, in time OFFLINE of all of them. */
async function openOurStand(redis: RedisProcess, effort: Effort): Promise<BurstStand> {
  const contestant = oursWithColleagues(EVENTS);
  const env = { REDIS_URL: redis.server.url, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
  const stand = await openOurs(redis, { ...contestant, env }, VIEWERS, contestant.watchPath, effort);
  const clients = Array.from({ length: EVENTS }, (_, index) => colleagueId(index));
  const elsewhere = await OtherServer.join(redis, HEARTBEAT_INTERVAL_MS);
  return {
    ...stand,
    burst: () => void elsewhere.heartbeat(clients),
    async settle() {
      await untilTold(stand.viewers, 2 * EVENTS);
      await untilQuiet(stand.viewers);
      await elsewhere.join();
    },
  };
}

function asPeer(stand: Stand, target: number): BurstStand {
  return {
    ...stand,
    target,
    burst: () => void get({ host: "127.0.0.1", port: stand.port, path: `/burst/${EVENTS}`, agent: false }).end(),
    settle: () => sleep(PAUSE_MS),
  };
}

async function openNchanStand(): Promise<BurstStand> {
  const stand = await openNchan(VIEWERS);
  return {
    ...asPeer(stand, 12),
    burst: () => stand.publisher.publish(Array.from({ length: EVENTS }, (_, index) => messageOf(colleagueId(index)))),
  };
}

function messageOf(client: string): string {
  return JSON.stringify({ client, status: "ONLINE", since: Date.now() });
}

function answer(
  measured: readonly { stand: BurstStand; rounds: readonly Round[] }[],
  notes: readonly string[],
): Answer {
  const results = measured.map(({ stand, rounds }) => {
    const valuesOf = (figure: keyof Round) => rounds.map((round) => round[figure]);
    const rates = valuesOf("deliveriesPerSecond");
    return {
      ...stand,
      rates,
      rate: median(rates),
      spread: `${formatNumber(Math.min(...rates))} – ${formatNumber(Math.max(...rates))}`,
      cpu: median(valuesOf("cpuMicrosPerDelivery")),
      readerLoad: median(valuesOf("readerLoad")),
    };
  });
  const ours = results[0]?.rate ?? Number.NaN;
  const targets = results.flatMap(({ name, rate, target }) =>
    target === undefined ? [] : [{ value: target * rate, label: `aimed at: ${target} × ${name.split(",", 1)[0]}` }],
  );
  const bars = results.map(({ name, rates, rate }, index) =>
    index === 0
      ? barOf(name, rates, { isOurs: true, targets })
      : barOf(name, rates, { note: `ours is ${formatRatio(ours, rate)}` }),
  );
  return {
    header: ["server", "deliveries/s", "least – most", "ours is", "CPU µs each", "reader busy"],
    rows: results.map(({ name, rate, spread, cpu, readerLoad }) => [
      name,
      formatNumber(rate),
      spread,
      formatRatio(ours, rate),
      formatNumber(cpu),
      `${Math.round(100 * readerLoad)} %`,
    ]),
    notes: [
      "From the cause's way to the server to the last viewer's read. Ours: one heartbeat of another server, through Redis and the platform. Peers: their own broadcast, in a loop; Nchan's publications come pipelined over one connection.",
      "CPU is the server's, for ours with all of Redis's. The reader is a process of its own; where it is near 100 %, it is the bottleneck, and the server could do more.",
      ...notes,
    ],
    chart: {
      title: burst.title,
      panels: [{ measure: "deliveries per second", better: "more", bars }],
      caption: `Medians of ${measured[0]?.rounds.length} rounds; thin lines: from the least to the most.`,
    },
    verdicts: results.flatMap(({ name, rate, target }) =>
      target === undefined ? [] : [atLeast(target, `burst, deliveries/s, of ${name}`, ours / rate)],
    ),
  };
}
