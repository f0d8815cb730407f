import { setTimeout as sleep } from "node:timers/promises";
import type { PresenceFunctions } from "@presence/gears";
import { percentile } from "@presence/testkit";
import { defineBenchmark, type Figures, type Run } from "../benchmark.ts";
import { colleagueId, colleaguePath } from "../load/colleagues.ts";
import { writeContacts } from "../load/contact-documents.ts";
import { clientIds, joinServers, sendHeartbeat, untilProcessed } from "../load/heartbeats.ts";
import { RawStream } from "../load/raw-stream.ts";
import { epochMs } from "../load/schedule.ts";
import { type Load, startLoad } from "../load/start-load.ts";
import { formatNumber } from "../report/table.ts";
import { atMost, exactly } from "../report/verdict.ts";
import { RedisProcess } from "../setup/redis-process.ts";
import { measureSteady, openOurSteadyPeer, paceOver, type SteadyFigure } from "../setup/steady-events.ts";
import { deliveredOnce } from "./steady.ts";

const VIEWERS = 100;
const VISITS_PER_SECOND = 500;
const LIVE = 50_000;
const CONNECTS_PER_SECOND = 20;
const CONTACTS = 100;
const STAY_MS = 2_000;
const HEARTBEAT_INTERVAL_MS = 5_000;
const LIVING_SERVER = "living";
const PROBE_SERVER = "probe";
const PROBE_MS = 50;
/** After the warm-up the first leases have expired. */
const SPANS = { warmUpMs: 9_000, measuredMs: 8_000 };
const TARGET_MS = 50;

type Figure = SteadyFigure | "waitP50Ms" | "waitP99Ms" | "waitWorstMs" | "connects" | "live" | "expectedLive";

export const allAtOnce = defineBenchmark<Figure>({
  name: "all-at-once",
  title: "How late OFFLINE and heartbeats are under mixed load",
  connections: VIEWERS + CONNECTS_PER_SECOND * 20,
  rounds: { usual: 3, long: 5 },
  measure,
  report([ours], { rounds }) {
    const middle = ours.middleRound("endP99Ms", 1);
    const figure = (name: Figure) => formatNumber(middle.median(name));
    const medians = (...names: Figure[]) => names.map((name) => middle.median(name));
    const live = Math.min(...ours.values("live"));
    return {
      table: {
        header: ["what", "median ms", "p99", "max"],
        rows: [
          ["OFFLINE, from the lease's end to each viewer", ...medians("endP50Ms", "endP99Ms", "endWorstMs")],
          ["all changes, from the cause to each viewer", ...medians("p50Ms", "p99Ms", "worstMs")],
          ["a heartbeat, from XADD until processed", ...medians("waitP50Ms", "waitP99Ms", "waitWorstMs")],
        ],
      },
      notes: [
        `One server and one Redis at the same time: ${figure("eventsPerSecond")} changes a second to ${VIEWERS} viewers each (${VISITS_PER_SECOND} clients a second come online at another server, and their leases expire), heartbeats of ${formatNumber((1_000 * LIVE) / HEARTBEAT_INTERVAL_MS)} clients a second (${formatNumber(LIVE)} live, d = ${HEARTBEAT_INTERVAL_MS / 1_000} s), ${CONNECTS_PER_SECOND} new connections a second with ${CONTACTS} contacts each.`,
        `Server and Redis used ${figure("cpuPercent")} % of a core, the reader ${figure("readerPercent")} %. Of ${rounds} rounds the middle one, by the 99th percentile of OFFLINE.`,
        `${figure("connects")} clients connected during the round and received their snapshots.`,
      ],
      targets: [
        atMost(TARGET_MS, "mixed load, OFFLINE late, p99", middle.median("endP99Ms"), "ms"),
        atMost(TARGET_MS, "mixed load, wait of a heartbeat, p99", middle.median("waitP99Ms"), "ms"),
        deliveredOnce("mixed load, deliveries, each once", ours),
        exactly(ours.median("expectedLive"), "mixed load, live clients still online", live),
      ],
    };
  },
});

async function measure(run: Run): Promise<Figures<Figure>> {
  const redis = await RedisProcess.start();
  const [visits, living] = [startLoad(), startLoad()];
  const stopping = new AbortController();
  const pace = paceOver(SPANS, run.scaled(VISITS_PER_SECOND));
  const clients = clientIds(run.liveClients(LIVE));
  const options = { pace, viewerCount: run.scaled(VIEWERS), heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS };
  const peer = await openOurSteadyPeer(redis, visits, options);
  const functions = await startLiving(redis, living, clients);
  const allLiveMs = epochMs();
  const probing = probeHeartbeats(redis, stopping.signal);
  const connecting = connectAndLeave(redis, peer.port, pace.count, stopping.signal);
  const figures = await measureSteady(peer, SPANS);
  stopping.abort();
  const [waits, connects] = await Promise.all([probing, connecting]);
  return {
    ...figures,
    waitP50Ms: percentile(waits, 0.5),
    waitP99Ms: percentile(waits, 0.99),
    waitWorstMs: percentile(waits, 1),
    connects,
    live: await countUnbroken(functions, clients, allLiveMs),
    expectedLive: clients.length,
  };
}

/** Brings clients online that send heartbeats all the time. */
async function startLiving(redis: RedisProcess, living: Load, clients: readonly string[]): Promise<PresenceFunctions> {
  // Without a contact document, a client would be a guest, which everyone sees.
  await writeContacts(redis, clients);
  const functions = await joinServers(redis.commands, HEARTBEAT_INTERVAL_MS, LIVING_SERVER, PROBE_SERVER);
  const lastId = await living("living", redis.url, LIVING_SERVER, clients.length, HEARTBEAT_INTERVAL_MS);
  await untilProcessed(redis.commands, lastId);
  return functions;
}

/** Sends heartbeats of a server without clients. @returns how long each waited until it was processed, ms */
async function probeHeartbeats(redis: RedisProcess, signal: AbortSignal): Promise<number[]> {
  const waits: number[] = [];
  while (!signal.aborted) {
    const startMs = performance.now();
    await untilProcessed(redis.commands, await sendHeartbeat(redis.commands, PROBE_SERVER, []));
    waits.push(performance.now() - startMs);
    await sleep(PROBE_MS);
  }
  return waits;
}

/** Clients connect at a steady rate, and leave after a while. @returns how many received their snapshot */
async function connectAndLeave(redis: RedisProcess, port: number, firstIndex: number, signal: AbortSignal) {
  const contacts = clientIds(CONTACTS);
  const visits: Promise<void>[] = [];
  let dueMs = performance.now();
  for (let index = firstIndex; !signal.aborted; index++) {
    dueMs += 1_000 / CONNECTS_PER_SECOND;
    await sleep(Math.max(0, dueMs - performance.now()));
    await writeContacts(redis, [colleagueId(index)], () => contacts);
    visits.push(visit(port, index));
  }
  await Promise.all(visits);
  return visits.length;
}

async function visit(port: number, index: number): Promise<void> {
  const stream = await RawStream.open(port, colleaguePath(index));
  await stream.received(CONTACTS + 1);
  await sleep(STAY_MS);
  stream.close();
}

/** How many of the clients have been online without a break since `sinceMs`. */
async function countUnbroken(functions: PresenceFunctions, clients: readonly string[], sinceMs: number) {
  const { records } = await functions.read(PROBE_SERVER, "none", [], [...clients]);
  return [...records.values()].filter(({ status, at }) => status === "ONLINE" && at <= sinceMs).length;
}
