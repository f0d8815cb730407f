import { setTimeout as sleep } from "node:timers/promises";
import { BARE_HTTP, colleagueId, colleaguePath, oursWithColleagues, type Watchable } from "../contestants.ts";
import { closeAll, openCrowd, until, untilQuiet } from "../load/crowd.ts";
import { type ObservedChange, observe } from "../load/observer.ts";
import { RawStream } from "../load/raw-stream.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { median, percentile } from "../statistics.ts";
import { formatNumber } from "../table.ts";

const LEASED = 10_000;
const DYING = 100;
const HEARTBEAT_INTERVAL_MS = 2_000;
const LEASE_MS = 1.5 * HEARTBEAT_INTERVAL_MS;
const ARRIVAL_GAP_MS = 18;
const IDLE_MS = 2 * HEARTBEAT_INTERVAL_MS;

interface Round {
  lagsMs: number[];
  /** Processor time while nobody came or went, as a share of one core. */
  idleLoad: number;
}

export const offlineLag: Question = {
  name: "offline-lag",
  title: `How late OFFLINE is: ${DYING} leave among ${formatNumber(LEASED)} who stay`,
  isWithoutRedis: true,
  connections: () => LEASED + DYING,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const rounds = effort.isLong ? 5 : 1;
  const contestants = [
    oursWithColleagues(LEASED + DYING),
    { ...BARE_HTTP, name: "node:http, a timer for each client" },
  ];
  const measured = contestants.map((contestant) => ({ contestant, rounds: [] as Round[] }));
  for (let round = 0; round < rounds; round++) {
    for (const entry of measured) {
      effort.onProgress(`round ${round + 1} of ${rounds}: ${entry.contestant.name}`);
      entry.rounds.push(await measure(entry.contestant, effort));
    }
  }
  return {
    header: ["server", "median ms late", "99th", "worst", "idle load, % of a core"],
    rows: measured.map(({ contestant, rounds: results }) => {
      const lags = results.flatMap(({ lagsMs }) => lagsMs);
      const idleLoad = median(results.map((result) => result.idleLoad));
      return [
        contestant.name,
        ...[0.5, 0.99, 1].map((share) => formatNumber(percentile(lags, share))),
        formatNumber(100 * idleLoad),
      ];
    }),
    notes: [
      `From the end of the lease (1.5 × ${HEARTBEAT_INTERVAL_MS} ms after the client's ONLINE, by the server's clock) to the OFFLINE's arrival at a watcher.`,
      `Each of the ${formatNumber(LEASED)} holds an open connection and is refreshed at each heartbeat; no one else is online.`,
    ],
  };
}

async function measure(contestant: Watchable, { nodeArgs }: Effort): Promise<Round> {
  const env = { ...contestant.env, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
  const server = await startServerProcess({ ...contestant, env }, nodeArgs);
  const clients = await openCrowd(LEASED, (index) => RawStream.open(server.port, colleaguePath(index)));
  await untilQuiet(clients);
  const idleLoad = await measureIdleLoad(server);
  const lagsMs = await measureLags(server, contestant.watchPath(0));
  closeAll(clients);
  await server.stop();
  return { lagsMs, idleLoad };
}

async function measureIdleLoad(server: ServerProcess): Promise<number> {
  const before = await server.processorUsage();
  await sleep(IDLE_MS);
  const after = await server.processorUsage();
  return (after.cpuMs - before.cpuMs) / IDLE_MS;
}

/**
 * Each of the dying comes, and leaves as soon as its `ONLINE` is seen: so the lease's end is known from outside. (Where
 * a heartbeat falls into the few milliseconds of a visit, the lease ends that much later, and the lag looks longer.)
 */
async function measureLags(server: ServerProcess, watchPath: string): Promise<number[]> {
  const visits = new Map<string, RawStream>();
  const onlineSince = new Map<string, number>();
  const lagsMs: number[] = [];
  const onChange = ({ client, status, since, arrivedAt }: ObservedChange) => {
    const start = onlineSince.get(client);
    if (status === "ONLINE") {
      onlineSince.set(client, since);
      visits.get(client)?.close();
    } else if (start !== undefined) {
      lagsMs.push(arrivedAt - start - LEASE_MS);
    }
  };
  const observer = await observe(server.port, watchPath, onChange);
  for (let index = 0; index < DYING; index++) {
    const client = colleagueId(LEASED + index);
    const visit = await RawStream.open(server.port, colleaguePath(LEASED + index));
    visits.set(client, visit);
    if (onlineSince.has(client)) visit.close();
    await sleep(ARRIVAL_GAP_MS);
  }
  await until(() => lagsMs.length >= DYING);
  observer.close();
  return lagsMs;
}
