import { setTimeout as sleep } from "node:timers/promises";
import { barOf, type Panel } from "../charts/chart.ts";
import { OURS, PEERS, type Watchable } from "../contestants.ts";
import { closeAll, lastReadMs, openCrowd, resetAll, untilQuiet, untilTold } from "../load/crowd.ts";
import { type ObservedChange, type Observer, observe } from "../load/observer.ts";
import { RawStream } from "../load/raw-stream.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { median, percentile } from "../statistics.ts";
import { formatNumber, formatRatio } from "../table.ts";

const WATCHERS = 1_000;
const HEARTBEAT_INTERVAL_MS = 1_000;
const IDLE_MS = 1_000;

/** A server with its watchers, ready for a round. */
interface Stand {
  contestant: Watchable;
  server: ServerProcess;
  watchers: RawStream[];
  observer: Observer;
  changes: ObservedChange[];
  /** Processor time that the server takes while nothing happens, per ms. */
  idleLoad: number;
  bursts: Burst[];
  singles: Single[];
}

/** Many leave at once. */
interface Burst {
  deliveriesPerSecond: number;
  cpuMicrosPerDelivery: number;
  serverLoad: number;
  readerLoad: number;
}

/** One arrives: how long after the request each watcher knew, ms. */
interface Single {
  latenciesMs: number[];
  cpuMs: number;
}

export const fanOut: Question = {
  name: "fan-out",
  title: `Fan-out to ${formatNumber(WATCHERS)} connections`,
  isWithoutRedis: true,
  connections: () => 4 * WATCHERS,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const { isLong, onProgress } = effort;
  const leaving = isLong ? 400 : 100;
  const rounds = isLong ? 7 : 3;
  const arrivals = isLong ? 40 : 15;
  const stands: Stand[] = [];
  for (const contestant of [OURS, ...PEERS]) {
    onProgress(`${contestant.name}: opening ${WATCHERS} connections`);
    stands.push(await openStand(contestant, effort));
  }
  for (let round = 0; round < rounds; round++) {
    for (const stand of stands) {
      onProgress(`round ${round + 1} of ${rounds}: ${stand.contestant.name}`);
      stand.bursts.push(await measureBurst(stand, round, leaving));
      stand.singles.push(...(await measureSingles(stand, round, arrivals)));
    }
  }
  await Promise.all(stands.map(closeStand));
  return answer(stands, leaving);
}

async function openStand(contestant: Watchable, { nodeArgs }: Effort): Promise<Stand> {
  const env = { ...contestant.env, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
  const server = await startServerProcess({ ...contestant, env }, nodeArgs);
  const changes: ObservedChange[] = [];
  const observer = await observe(server.port, contestant.watchPath(0), (change) => changes.push(change));
  const watchers = await openCrowd(WATCHERS, (index) => RawStream.open(server.port, contestant.watchPath(index)));
  await untilQuiet(watchers);
  const before = await server.processorUsage();
  await sleep(IDLE_MS);
  const after = await server.processorUsage();
  const idleLoad = (after.cpuMs - before.cpuMs) / IDLE_MS;
  return { contestant, server, watchers, observer, changes, idleLoad, bursts: [], singles: [] };
}

async function closeStand({ server, watchers, observer }: Stand): Promise<void> {
  observer.close();
  closeAll(watchers);
  await server.stop();
}

async function measureBurst(stand: Stand, round: number, leaving: number): Promise<Burst> {
  const { server, watchers, changes, idleLoad } = stand;
  resetAll(watchers);
  const visitors = await openCrowd(leaving, (index) => RawStream.open(server.port, `/events/leaver-${round}-${index}`));
  await untilTold(watchers, leaving);
  await untilQuiet(watchers);

  resetAll(watchers);
  changes.length = 0;
  const startMs = performance.now();
  const before = await server.processorUsage();
  const ownBefore = process.cpuUsage();
  closeAll(visitors);
  await untilTold(watchers, leaving);
  const own = process.cpuUsage(ownBefore);
  const after = await server.processorUsage();
  const idleMs = (performance.now() - startMs) * idleLoad;

  const deliveries = leaving * watchers.length;
  const cpuMs = after.cpuMs - before.cpuMs - idleMs;
  const firstAt = Math.min(...changes.map(({ since }) => since));
  const wallMs = Math.max(1, performance.timeOrigin + lastReadMs(watchers) - firstAt);
  return {
    deliveriesPerSecond: (deliveries / wallMs) * 1000,
    cpuMicrosPerDelivery: (cpuMs / deliveries) * 1000,
    serverLoad: cpuMs / wallMs,
    readerLoad: (own.user + own.system) / 1000 / wallMs,
  };
}

async function measureSingles(stand: Stand, round: number, arrivals: number): Promise<Single[]> {
  const { server, watchers } = stand;
  const singles: Single[] = [];
  const visitors: RawStream[] = [];
  for (let index = 0; index < arrivals; index++) {
    resetAll(watchers);
    const before = await server.processorUsage();
    const startMs = performance.now();
    visitors.push(await RawStream.open(server.port, `/events/comer-${round}-${index}`));
    await untilTold(watchers, 1);
    const after = await server.processorUsage();
    const latenciesMs = watchers.map(({ firstObjectMs }) => firstObjectMs - startMs);
    singles.push({ latenciesMs, cpuMs: after.cpuMs - before.cpuMs });
  }
  resetAll(watchers);
  closeAll(visitors);
  await untilTold(watchers, arrivals);
  await untilQuiet(watchers);
  return singles;
}

function answer(stands: readonly Stand[], leaving: number): Answer {
  const burstOf = ({ bursts }: Stand, figure: keyof Burst) => median(bursts.map((burst) => burst[figure]));
  const singleOf = ({ singles }: Stand) => median(singles.map(({ cpuMs }) => cpuMs));
  const [ours] = stands;
  const rows = stands.map((stand) => {
    const latencies = stand.singles.flatMap(({ latenciesMs }) => latenciesMs);
    const burstCpu = burstOf(stand, "cpuMicrosPerDelivery");
    return [
      stand.contestant.name,
      formatNumber(burstCpu),
      ours ? formatRatio(burstCpu, burstOf(ours, "cpuMicrosPerDelivery")) : "",
      formatNumber(burstOf(stand, "deliveriesPerSecond")),
      formatNumber(singleOf(stand)),
      ours ? formatRatio(singleOf(stand), singleOf(ours)) : "",
      ...[0.5, 0.99].map((share) => formatNumber(percentile(latencies, share))),
    ];
  });
  const loads = stands.map((stand) => {
    const [server, reader] = [burstOf(stand, "serverLoad"), burstOf(stand, "readerLoad")];
    return `${stand.contestant.name} ${Math.round(100 * server)} % and ${Math.round(100 * reader)} %`;
  });
  return {
    header: [
      "server",
      "burst: CPU µs each",
      "of ours",
      "deliveries/s",
      "one event: CPU ms",
      "of ours",
      "median ms",
      "99th",
    ],
    rows,
    notes: [
      `Burst: ${leaving} people vanish at once, so ${formatNumber(leaving * WATCHERS)} deliveries. CPU is the server's processor time for one delivery; the rate is from the first OFFLINE's moment to the last read.`,
      `One event: somebody arrives. CPU is the server's for all ${formatNumber(WATCHERS)} watchers; the times run from the request's first byte to each watcher's read.`,
      "Ours also sends each arrival a snapshot and the others' changes; the peers' arrivals are told nothing.",
      `Busy during the burst, server and load generator: ${loads.join("; ")}. Where the generator is near 100 %, it is the bottleneck, and where both are far from it, other programs on the machine are: then only the CPU columns count.`,
    ],
    chart: {
      title: `${fanOut.title}, beside peers that have no presence`,
      panels: [
        panelOf("processor time for each delivery of a burst", "µs", stands, ({ bursts }) =>
          bursts.map(({ cpuMicrosPerDelivery }) => cpuMicrosPerDelivery),
        ),
        panelOf("processor time for one event to all", "ms", stands, ({ singles }) =>
          singles.map(({ cpuMs }) => cpuMs),
        ),
        panelOf("until each of them has read one event", "ms", stands, ({ singles }) =>
          singles.map(({ latenciesMs }) => median(latenciesMs)),
        ),
      ],
      caption: "Medians of all rounds; thin lines: from the least to the most.",
    },
  };
}

function panelOf(
  measure: string,
  unit: string,
  stands: readonly Stand[],
  valuesOf: (stand: Stand) => readonly number[],
): Panel {
  const [ours] = stands;
  const reference = ours ? median(valuesOf(ours)) : Number.NaN;
  const bars = stands.map((stand) =>
    stand === ours
      ? barOf(stand.contestant.name, valuesOf(stand), { isOurs: true })
      : barOf(stand.contestant.name, valuesOf(stand), {
          note: `${formatRatio(median(valuesOf(stand)), reference)} ours`,
        }),
  );
  return { measure, unit, better: "less", bars };
}
