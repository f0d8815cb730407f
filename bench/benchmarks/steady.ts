import { defineBenchmark, type Run, type Sample } from "../benchmark.ts";
import type { Pace } from "../load/schedule.ts";
import { type Load, startLoad } from "../load/start-load.ts";
import { formatNumber, formatShare, formatWithUnit } from "../report/table.ts";
import { atMost, exactly } from "../report/verdict.ts";
import { openPeers, type PushPeer } from "../setup/push-peers.ts";
import { RedisProcess } from "../setup/redis-process.ts";
import {
  measureSteady,
  openOurSteadyPeer,
  paceOver,
  type Spans,
  type SteadyFigure,
  type SteadyPeer,
} from "../setup/steady-events.ts";

const VIEWERS = 100;
const EVENTS_PER_SECOND = 1_000;
const HEARTBEAT_INTERVAL_MS = 1_000;
/** After the warm-up the first leases have expired, so that half of our events are ends; and hot code is compiled. */
const SPANS = { warmUpMs: 2_000, measuredMs: 6_000 };
const TARGET_LATENCY_MS = 25;

export const steady = defineBenchmark<SteadyFigure, SteadyPeer>({
  name: "steady",
  title: `A steady ${formatNumber(EVENTS_PER_SECOND)} events a second to ${VIEWERS} viewers each, compared with peers`,
  connections: 5 * VIEWERS,
  rounds: { usual: 3, long: 7 },
  async setUp(run) {
    const viewerCount = run.scaled(VIEWERS);
    const redis = await RedisProcess.start();
    const load = startLoad();
    const paceOf = (perSecond: number) => paceOver(spansOf(run), perSecond);
    const options = { pace: paceOf(EVENTS_PER_SECOND / 2), viewerCount, heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS };
    const ours = await openOurSteadyPeer(redis, load, options);
    const peers = await openPeers(run, redis, viewerCount);
    return [ours, ...peers.map((peer) => asPeer(peer, paceOf(EVENTS_PER_SECOND), load))];
  },
  measure: (run, peer) => measureSteady(peer, spansOf(run)),
  report([ours, ...peers], run) {
    return {
      names: "server",
      columns: [
        ["events/s", "eventsPerSecond"],
        ["delivered", (sample) => formatShare(sample.sum("delivered") / sample.sum("expected"))],
        ["median ms", "p50Ms"],
        ["p99", "p99Ms"],
        ["max", (sample) => sample.max("worstMs")],
        ["CPU, of a core", (sample) => formatWithUnit(sample.median("cpuPercent"), "%")],
        ["of ours", (sample) => sample.ratio("cpuPercent", ours)],
        ["reader busy", (sample) => formatWithUnit(sample.median("readerPercent"), "%")],
      ],
      notes: [
        `Ours: ${EVENTS_PER_SECOND / 2} clients a second come online at another server and send no more heartbeats, so that their leases expire after ${(1.5 * HEARTBEAT_INTERVAL_MS) / 1_000} s. Half of the events are arrivals, half are ends of leases. Each viewer has its own contact list. Peers: their own broadcast, by a timer in their process; Nchan's publications come one by one over one connection.`,
        "From when an event was due to each viewer's read: an arrival by the schedule, an end by the end of the lease by Redis's clock. A load generator that falls behind its schedule adds to the latency.",
        `CPU is the server's, for ours including all of Redis's, over ${SPANS.measuredMs / 1_000} s of each round; of latencies and CPU the middle round is shown. The load generator and the reader are separate processes.`,
      ],
      targets: [
        deliveredOnce("steady, deliveries, each once", ours),
        atMost(TARGET_LATENCY_MS, "steady, latency, p99", ours.median("p99Ms"), "ms", {
          bar: ours.name,
          figure: "p99Ms",
        }),
        ...peers.map((peer) =>
          atMost(1, `steady, CPU, ours to ${peer.name}`, ours.median("cpuPercent") / peer.median("cpuPercent")),
        ),
      ],
      chart: {
        caption: run.caption("Ours goes through Redis and the platform, and includes the time of Redis."),
        panels: [
          { measure: "processor time of the server, % of a core", better: "less", figure: "cpuPercent" },
          {
            measure: "from the cause to a viewer's read, 99th percentile",
            unit: "ms",
            better: "less",
            isLogarithmic: true,
            figure: "p99Ms",
          },
        ],
      },
    };
  },
});

function spansOf(run: Run): Spans {
  return { ...SPANS, measuredMs: run.scaled(SPANS.measuredMs) };
}

/** Whether each event was delivered once, and nothing else was. */
export function deliveredOnce(what: string, sample: Sample<SteadyFigure>) {
  const [delivered, expected, surplus] = [sample.sum("delivered"), sample.sum("expected"), sample.sum("surplus")];
  return { ...exactly(expected, what, delivered + surplus), isReached: delivered === expected && surplus === 0 };
}

/** A peer that broadcasts by its own timer; to Nchan the load process publishes. */
function asPeer(peer: PushPeer, pace: Pace, load: Load): SteadyPeer {
  const { count, perSecond } = pace;
  return {
    ...peer,
    eventCount: count,
    eventOf: (colleague) => colleague - 1,
    async begin() {
      if (peer.publisher) return { dueMs: load("publications", peer.port, pace) };
      const response = await fetch(`http://127.0.0.1:${peer.port}/steady/${count}/${perSecond}`);
      const { startMs } = (await response.json()) as { startMs: number };
      const dueMs = Array.from({ length: count }, (_, index) => startMs + (1_000 * index) / perSecond);
      return { dueMs: Promise.resolve(dueMs) };
    },
  };
}
