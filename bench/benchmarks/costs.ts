import { setTimeout as sleep } from "node:timers/promises";
import { DEADLINES_KEY, SEQUENCES_KEY } from "@presence/gears/keys";
import { downstreamKey } from "@presence/protocol";
import type { Redis } from "ioredis";
import { defineBenchmark, type Run } from "../benchmark.ts";
import { writeContacts } from "../load/contact-documents.ts";
import { clientIds, joinServers, refresh, sendHeartbeat, startHost, untilProcessed } from "../load/heartbeats.ts";
import { difference, divide, type RedisUsage, readUsage, untilIdle, usageOf } from "../load/redis-usage.ts";
import { readServerStream } from "../load/stream-reader.ts";
import { formatNumber } from "../report/table.ts";
import { RedisProcess } from "../setup/redis-process.ts";
import { inScope, onScopeEnd } from "../setup/scope.ts";

const LIVE = 120_000;
const CHANGES = 5_000;
const EMPTY_HEARTBEATS = 2_000;
/** The concurrency of the heartbeats of many servers. */
const EMPTY_CONCURRENCY = 20;
const SERVER = "server-1";
const WATCHING_SERVERS = 10;
const WATCHERS = 10;
/** So long that no lease ends during the measurement. */
const LONG_INTERVAL_MS = 240_000;
/** So short that leases end soon. */
const SHORT_INTERVAL_MS = 2_000;
const HEARTBEATS_PER_INTERVAL = 4;
const IDLE_MS = 2_000;
/** For the reactions of a host to leases that begin and end. */
const SETTLE_MS = 500;
const POLL_MS = 50;

/** For each server: the clients that it watches. */
type Interest = readonly (readonly string[])[];

/** Costs of one heartbeat, arrival or departure; `watched…` with all servers watching. */
type Cost = "refresh" | "empty" | "emptyConcurrent" | "arrival" | "departure" | "watchedArrival" | "watchedDeparture";
type Kept = "onlineBytes" | "interestBytes" | "eventBytes" | "goneBytes";
/** `drawnStreams`: to how many streams a change went with randomly chosen watchers. */
type Figure = `${Cost}.${keyof RedisUsage}` | Kept | "drawnStreams" | "live" | "changes";

export const costs = defineBenchmark<Figure>({
  name: "costs",
  title: "What Redis does per client, change and server",
  connections: 50,
  rounds: { usual: 3, long: 5 },
  measure,
  report([ours], { rounds }) {
    const cost = (name: Cost) => usageOf((figure) => ours.median(`${name}.${figure}`));
    const perServer = (watched: Cost, unwatched: Cost) =>
      divide(difference(cost(watched), cost(unwatched)), WATCHING_SERVERS);
    const mean = (figure: Figure) => ours.sum(figure) / rounds;
    const expected = WATCHING_SERVERS * (1 - (1 - 1 / WATCHING_SERVERS) ** WATCHERS);
    return {
      table: {
        header: ["each", "commands", "CPU µs", "bytes in", "bytes out", "bytes kept"],
        rows: [
          row("client in a heartbeat of 500", cost("refresh"), 0),
          row("client online, not watched", undefined, mean("onlineBytes")),
          row("heartbeat without clients", cost("empty"), 0),
          row(`heartbeat without clients, ${EMPTY_CONCURRENCY} at once`, cost("emptyConcurrent"), 0),
          row("arrival, not watched", cost("arrival")),
          row("arrival, per watching server", perServer("watchedArrival", "arrival")),
          row("end of a lease, not watched", cost("departure")),
          row("end of a lease, per watching server", perServer("watchedDeparture", "departure")),
          row("client that a server watches", undefined, mean("interestBytes")),
          row("event on a server's stream", undefined, mean("eventBytes")),
          row("client that has gone", undefined, mean("goneBytes")),
        ],
      },
      notes: [
        `On one Redis, with a trigger host. ${formatNumber(mean("live"))} clients stay online, in entries of 500. ${formatNumber(mean("changes"))} come online in entries of 500, with contact documents, and their leases expire. The cost of sweeps and empty heartbeats during that time was measured before, and is subtracted.`,
        `Commands include those inside functions. Per watching server: the difference between ${WATCHING_SERVERS} that watch all clients and none, divided by ${WATCHING_SERVERS}; it includes reading the stream.`,
        `With ${WATCHERS} watchers of each client at random ones of ${WATCHING_SERVERS} servers, a change went to ${formatNumber(mean("drawnStreams"))} streams; the expected value is ${formatNumber(expected)}.`,
        `Medians of ${rounds} rounds; for bytes kept, means.`,
      ],
    };
  },
});

/** @param keptBytes `undefined` is shown as an empty cell, as is a missing usage */
function row(name: string, usage?: RedisUsage, keptBytes?: number): (string | number)[] {
  const figures = [usage?.commands, usage?.cpuMicros, usage?.bytesIn, usage?.bytesOut, keptBytes];
  return [name, ...figures.map((figure) => figure ?? "")];
}

async function measure(run: Run): Promise<Record<Figure, number>> {
  const [live, clients] = [run.liveClients(LIVE), clientIds(run.scaled(CHANGES))];
  const staying = await inScope(() => measureStaying(live));
  const unwatched = await inScope(() => measureChanges(clients, []));
  const allWatch = Array<readonly string[]>(WATCHING_SERVERS).fill(clients);
  const watched = await inScope(() => measureChanges(clients, allWatch));
  const drawn = await inScope(() => measureChanges(clients, drawInterest(clients)));
  const usages: Record<Cost, RedisUsage> = {
    ...staying.usages,
    arrival: unwatched.arrival,
    departure: unwatched.departure,
    watchedArrival: watched.arrival,
    watchedDeparture: watched.departure,
  };
  const named = Object.entries(usages).flatMap(([name, usage]) =>
    Object.entries(usage).map(([figure, value]) => [`${name}.${figure}`, value]),
  );
  return {
    ...(Object.fromEntries(named) as Record<`${Cost}.${keyof RedisUsage}`, number>),
    onlineBytes: staying.onlineBytes,
    interestBytes: watched.interestBytes,
    eventBytes: watched.eventBytes,
    goneBytes: unwatched.goneBytes,
    drawnStreams: drawn.streams,
    live,
    changes: clients.length,
  };
}

/** Each client has some watchers, at random servers. */
function drawInterest(clients: readonly string[]): Interest {
  const interest = Array.from({ length: WATCHING_SERVERS }, () => new Set<string>());
  for (const client of clients) {
    for (let watcher = 0; watcher < WATCHERS; watcher++) {
      interest[Math.floor(Math.random() * WATCHING_SERVERS)]?.add(client);
    }
  }
  return interest.map((watched) => [...watched]);
}

async function measureStaying(live: number) {
  const clients = clientIds(live);
  const redis = await RedisProcess.start();
  const { commands } = redis;
  const sender = redis.connect();
  startHost(redis.url, LONG_INTERVAL_MS);
  await joinServers(commands, LONG_INTERVAL_MS, SERVER);
  const sendEmpty = async (concurrency: number) => {
    let lastId = "0-0";
    for (let count = 0; count < EMPTY_HEARTBEATS; count += concurrency) {
      const entries = Array.from({ length: concurrency }, () => sendHeartbeat(sender, SERVER, []));
      lastId = (await Promise.all(entries)).at(-1) ?? lastId;
    }
    await untilProcessed(commands, lastId);
  };
  const refreshUntilIdle = async () => {
    await refresh(commands, SERVER, clients, sender);
    await untilIdle(commands);
  };
  const arriving = await measureUsage(commands, refreshUntilIdle);
  const refreshing = await measureUsage(commands, refreshUntilIdle);
  const empty = await measureUsage(commands, () => sendEmpty(1));
  const concurrent = await measureUsage(commands, () => sendEmpty(EMPTY_CONCURRENCY));
  return {
    usages: {
      refresh: divide(refreshing.usage, live),
      empty: divide(empty.usage, EMPTY_HEARTBEATS),
      emptyConcurrent: divide(concurrent.usage, EMPTY_HEARTBEATS),
    },
    onlineBytes: arriving.usage.memoryBytes / live,
  };
}

async function measureChanges(clients: readonly string[], interest: Interest) {
  const redis = await RedisProcess.start();
  const { commands } = redis;
  startHost(redis.url, SHORT_INTERVAL_MS);
  const servers = interest.map((_, index) => `watching-${index + 1}`);
  await writeContacts(redis, clients);
  const functions = await joinServers(commands, SHORT_INTERVAL_MS, SERVER, ...servers);
  const timer = setInterval(() => {
    for (const server of [SERVER, ...servers]) void sendHeartbeat(commands, server, []);
  }, SHORT_INTERVAL_MS / HEARTBEATS_PER_INTERVAL);
  onScopeEnd(() => clearInterval(timer));
  const before = await readUsage(commands);
  const received = servers.map(() => 0);
  for (const [index, server] of servers.entries()) {
    await functions.read(server, "epoch", [...(interest[index] ?? [])], []);
    readServerStream(redis.connect(), server, () => {
      received[index] = (received[index] ?? 0) + 1;
    });
  }
  const watching = await readUsage(commands);
  const pairs = interest.reduce((sum, own) => sum + own.length, 0);
  const untilReceived = async (events: number) => {
    while (received.some((count, index) => count < events * (interest[index]?.length ?? 0))) await sleep(POLL_MS);
    await sleep(SETTLE_MS);
  };
  const idle = await measureUsage(commands, () => sleep(IDLE_MS));
  const arriving = await measureUsage(commands, async () => {
    await refresh(commands, SERVER, clients);
    await untilReceived(1);
  });
  const leaving = await measureUsage(commands, async () => {
    while ((await commands.zcard(DEADLINES_KEY)) > 0) await sleep(POLL_MS);
    await untilReceived(2);
  });
  const gone = await readUsage(commands);
  const events = (await commands.hvals(SEQUENCES_KEY)).reduce((sum, count) => sum + Number(count), 0);
  return {
    arrival: divide(subtractIdle(arriving, idle), clients.length),
    departure: divide(subtractIdle(leaving, idle), clients.length),
    interestBytes: (watching.memoryBytes - before.memoryBytes) / Math.max(1, pairs),
    eventBytes: servers[0] === undefined ? 0 : await bytesPerEvent(commands, downstreamKey(servers[0])),
    goneBytes: (gone.memoryBytes - watching.memoryBytes) / clients.length,
    streams: events / (2 * clients.length),
  };
}

async function bytesPerEvent(redis: Redis, key: string): Promise<number> {
  const bytes = Number(await redis.call("MEMORY", "USAGE", key, "SAMPLES", "0"));
  return bytes / (await redis.xlen(key));
}

interface Measured {
  usage: RedisUsage;
  tookMs: number;
}

async function measureUsage(redis: Redis, work: () => Promise<unknown>): Promise<Measured> {
  const [before, startMs] = [await readUsage(redis), performance.now()];
  await work();
  return { usage: difference(await readUsage(redis), before), tookMs: performance.now() - startMs };
}

/** Subtracts what Redis does in that time anyway. */
function subtractIdle({ usage, tookMs }: Measured, idle: Measured): RedisUsage {
  return difference(usage, divide(idle.usage, idle.tookMs / tookMs));
}
