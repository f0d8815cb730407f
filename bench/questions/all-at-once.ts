import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { PresenceFunctions } from "@presence/gears";
import { colleagueId, colleaguePath } from "../contestants.ts";
import { epochMs } from "../load/pace.ts";
import { writeDocument } from "../load/people.ts";
import { RawStream } from "../load/raw-stream.ts";
import { redisClientIds, SILENT, sendHeartbeat, untilWorkedOff } from "../load/redis-clients.ts";
import type { LivingOrder, LivingReport } from "../load/steady-causes.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import {
  eachOnce,
  type Lateness,
  latenessOf,
  measureSteady,
  openOurSteadyStand,
  paceOver,
  type Spans,
  type SteadyRound,
  startCauses,
} from "../steady-stand.ts";
import { formatNumber } from "../table.ts";
import { atMost, type Verdict } from "../verdict.ts";

const VIEWERS = 100;
const VISITS_PER_SECOND = 500;
const LIVE = 50_000;
const CONNECTS_PER_SECOND = 20;
const CONTACTS = 100;
const STAY_MS = 2_000;
const HEARTBEAT_INTERVAL_MS = 5_000;
const LIVING_SERVER = "living";
const PROBING_SERVER = "probe";
const PROBE_MS = 50;
/** By then those who came first go. */
const SPANS: Spans = { warmUpMs: 9_000, measuredMs: 8_000 };
const MOST_LATE_MS = 50;
const MOST_WAIT_MS = 50;

interface Round extends SteadyRound {
  /** From an entry's XADD until it had been worked off, ms. */
  waits: Lateness;
  /** Who connected, and had their snapshot. */
  connects: number;
  /** Of those who were there all the while, who is still said to be. */
  live: number;
}

export const allAtOnce: Question = {
  name: "all-at-once",
  title: "How late OFFLINE and heartbeats are while everything else goes on",
  connections: () => VIEWERS + CONNECTS_PER_SECOND * 20,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const rounds: Round[] = [];
  const count = effort.isLong ? 5 : 3;
  for (let round = 0; round < count; round++) {
    effort.onProgress(`round ${round + 1} of ${count}`);
    rounds.push(await measure(effort));
  }
  const middle = rounds.toSorted((one, other) => one.ends.p99Ms - other.ends.p99Ms)[Math.floor(count / 2)];
  if (!middle) throw new Error("there was no round.");
  const row = (what: string, { p50Ms, p99Ms, worstMs }: Lateness) => [
    what,
    ...[p50Ms, p99Ms, worstMs].map(formatNumber),
  ];
  return {
    header: ["what", "median ms", "99th", "worst"],
    rows: [
      row("OFFLINE, from the lease's end to each viewer", middle.ends),
      row("all changes, from their causes to each viewer", middle.all),
      row("a heartbeat, from its XADD until it is worked off", middle.waits),
    ],
    notes: [
      `At one server and one Redis at once: ${formatNumber(middle.eventsPerSecond)} changes a second to ${VIEWERS} viewers each (${VISITS_PER_SECOND} people a second come to another server, and go when their lease runs out), ${formatNumber((1_000 * LIVE) / HEARTBEAT_INTERVAL_MS)} clients a second whose heartbeats prolong their leases (${formatNumber(LIVE)} live, d = ${HEARTBEAT_INTERVAL_MS / 1_000} s), ${CONNECTS_PER_SECOND} new connections a second with ${CONTACTS} contacts each.`,
      `Server and Redis were busy for ${formatNumber(100 * middle.cpuShare)} % of a core, the reader for ${formatNumber(100 * middle.readerShare)} %. Of ${count} rounds the middle one, by OFFLINE's 99th percentile.`,
      `${formatNumber(middle.connects)} people connected meanwhile and had their snapshots.`,
    ],
    verdicts: verdictsOn(rounds, middle),
  };
}

function verdictsOn(rounds: readonly Round[], middle: Round): Verdict[] {
  const live = Math.min(...rounds.map((round) => round.live));
  return [
    atMost(MOST_LATE_MS, "all at once, OFFLINE late, 99th", middle.ends.p99Ms, "ms"),
    atMost(MOST_WAIT_MS, "all at once, a heartbeat's wait, 99th", middle.waits.p99Ms, "ms"),
    eachOnce("all at once, deliveries, each once", rounds),
    {
      what: "all at once, of the living still online",
      measured: formatNumber(live),
      target: formatNumber(LIVE),
      isReached: live === LIVE,
    },
  ];
}

async function measure(effort: Effort): Promise<Round> {
  const redis = await RedisProcess.start();
  const [causes, living] = [startCauses(), startCauses()];
  const stopping = new AbortController();
  try {
    const visits = {
      pace: paceOver(SPANS, VISITS_PER_SECOND),
      viewerCount: VIEWERS,
      heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    };
    const stand = await openOurSteadyStand(redis, causes, visits, effort);
    await bringToLife(redis, living);
    const allLiveMs = epochMs();
    const probing = probe(redis, stopping.signal);
    const connecting = comeAndGo(redis, stand.port, visits.pace.count, stopping.signal);
    const round = await measureSteady(stand, SPANS);

    stopping.abort();
    const [waits, connects] = await Promise.all([probing, connecting]);
    const live = await countUnbroken(redis, allLiveMs);
    await stand.close();
    return { ...round, waits, connects, live };
  } finally {
    for (const process of [causes, living]) process.disconnect();
    await redis.stop();
  }
}

async function bringToLife(redis: RedisProcess, living: ChildProcess): Promise<void> {
  // Who has no contact document is a guest, whom everybody sees.
  for (const client of redisClientIds(LIVE)) await writeDocument(redis, client, []);
  const functions = await PresenceFunctions.connect(redis.commands, HEARTBEAT_INTERVAL_MS, SILENT);
  await functions.join(LIVING_SERVER);
  await functions.join(PROBING_SERVER);
  const order: LivingOrder = {
    kind: "living",
    redisUrl: redis.server.url,
    server: LIVING_SERVER,
    count: LIVE,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
  };
  living.send(order);
  const [report] = await once(living, "message");
  await untilWorkedOff(redis.commands, (report as LivingReport).lastId);
}

/** How long heartbeats wait, tried with one of a server at which nobody is, again and again. */
async function probe(redis: RedisProcess, signal: AbortSignal): Promise<Lateness> {
  const waits: number[] = [];
  while (!signal.aborted) {
    const startMs = performance.now();
    await untilWorkedOff(redis.commands, await sendHeartbeat(redis.commands, PROBING_SERVER, []));
    waits.push(performance.now() - startMs);
    await sleep(PROBE_MS);
  }
  return latenessOf(waits);
}

/** Others connect to the server, each for a while. @returns how many had their snapshot */
async function comeAndGo(redis: RedisProcess, port: number, firstIndex: number, signal: AbortSignal): Promise<number> {
  const contacts = redisClientIds(CONTACTS);
  const visits: Promise<void>[] = [];
  let dueMs = performance.now();
  for (let index = firstIndex; !signal.aborted; index++) {
    dueMs += 1_000 / CONNECTS_PER_SECOND;
    await sleep(Math.max(0, dueMs - performance.now()));
    await writeDocument(redis, colleagueId(index), contacts);
    visits.push(visit(port, index));
  }
  await Promise.all(visits);
  return visits.length;
}

async function visit(port: number, index: number): Promise<void> {
  const stream = await RawStream.open(port, colleaguePath(index));
  await stream.told(CONTACTS + 1);
  await sleep(STAY_MS);
  stream.close();
}

/** Of the living how many have been online without a break since they came. */
async function countUnbroken(redis: RedisProcess, upToMs: number): Promise<number> {
  const functions = await PresenceFunctions.connect(redis.commands, HEARTBEAT_INTERVAL_MS, SILENT);
  const { records } = await functions.read(PROBING_SERVER, "none", [], redisClientIds(LIVE));
  return [...records.values()].filter(({ status, at }) => status === "ONLINE" && at <= upToMs).length;
}
