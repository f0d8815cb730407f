import { setTimeout as sleep } from "node:timers/promises";
import { PresenceFunctions, startTriggerHost } from "@presence/gears";
import { DEADLINES_KEY, SEQUENCES_KEY } from "@presence/gears/keys";
import { contactKey, downstreamKey } from "@presence/protocol";
import type { Redis } from "ioredis";
import { redisClientIds, SILENT, sendHeartbeat, sendHeartbeats, untilWorkedOff } from "../load/redis-clients.ts";
import { difference, medianUsage, type RedisUsage, readUsage, share, untilQuiet } from "../load/redis-usage.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { formatNumber } from "../table.ts";

const DEFAULT_LIVE = 120_000;
const CHANGES = 5_000;
const EMPTY_HEARTBEATS = 2_000;
/** As where many servers send them. */
const EMPTY_AT_ONCE = 20;
const SERVER = "server-1";
const WATCHING_SERVERS = 10;
const WATCHERS = 10;
/** So long that no lease ends in between. */
const LONG_INTERVAL_MS = 240_000;
/** So short that leases end soon. */
const SHORT_INTERVAL_MS = 2_000;
const HEARTBEATS_PER_INTERVAL = 4;
const IDLE_MS = 2_000;
/** For what a host does of its own accord when leases begin and end. */
const SETTLE_MS = 500;
const POLL_MS = 50;
const BLOCK_MS = 1_000;
const READ_AT_ONCE = 1_000;

/** By servers: whom each of these watches. */
type Interest = readonly (readonly string[])[];

/** What one client costs who stays, and what is kept for it. */
interface Staying {
  refresh: RedisUsage;
  empty: RedisUsage;
  emptyAtOnce: RedisUsage;
  heldBytes: number;
}

/** What one change of one client costs. */
interface Changing {
  arrival: RedisUsage;
  departure: RedisUsage;
  /** Kept for each client that a server watches. */
  interestBytes: number;
  /** Kept for each event on a server's stream. */
  eventBytes: number;
  /** Kept for each client who has gone. */
  goneBytes: number;
  /** Streams that a change went to. */
  told: number;
}

export const costs: Question = {
  name: "costs",
  title: "What Redis does for each client, change and server",
  connections: () => 50,
  run,
};

async function run({ isLong, live = DEFAULT_LIVE, onProgress }: Effort): Promise<Answer> {
  const rounds = isLong ? 5 : 3;
  const clients = redisClientIds(CHANGES);
  const staying: Staying[] = [];
  const [unwatched, watched, drawn]: [Changing[], Changing[], Changing[]] = [[], [], []];
  for (let round = 1; round <= rounds; round++) {
    onProgress(`round ${round} of ${rounds}: who stays`);
    staying.push(await stay(live));
    onProgress(`round ${round} of ${rounds}: who comes and goes`);
    unwatched.push(await change(clients, []));
    watched.push(await change(clients, Array<readonly string[]>(WATCHING_SERVERS).fill(clients)));
    drawn.push(await change(clients, drawInterest(clients)));
  }
  const one = (of: "arrival" | "departure", changings: Changing[]) => medianUsage(changings.map((each) => each[of]));
  const perServer = (of: "arrival" | "departure") =>
    share(difference(one(of, watched), one(of, unwatched)), WATCHING_SERVERS);
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const onPaper = WATCHING_SERVERS * (1 - (1 - 1 / WATCHING_SERVERS) ** WATCHERS);
  return {
    header: ["each", "commands", "CPU µs", "bytes in", "bytes out", "bytes kept"],
    rows: [
      row("client in a heartbeat of 500", medianUsage(staying.map(({ refresh }) => refresh)), 0),
      row("client online, nobody watches", undefined, mean(staying.map(({ heldBytes }) => heldBytes))),
      row("heartbeat of nobody, alone", medianUsage(staying.map(({ empty }) => empty)), 0),
      row(
        `heartbeat of nobody, ${EMPTY_AT_ONCE} at once`,
        medianUsage(staying.map(({ emptyAtOnce }) => emptyAtOnce)),
        0,
      ),
      row("arrival, nobody watches", one("arrival", unwatched), undefined),
      row("arrival, for each server that watches", perServer("arrival"), undefined),
      row("end of a lease, nobody watches", one("departure", unwatched), undefined),
      row("end of a lease, for each server that watches", perServer("departure"), undefined),
      row("client that a server watches", undefined, mean(watched.map(({ interestBytes }) => interestBytes))),
      row("event on a server's stream", undefined, mean(watched.map(({ eventBytes }) => eventBytes))),
      row("client who has gone", undefined, mean(unwatched.map(({ goneBytes }) => goneBytes))),
    ],
    notes: [
      `On one Redis, with a trigger host. ${formatNumber(live)} stay, in entries of 500; ${formatNumber(CHANGES)} come in entries of 500, with contact documents, and go by the end of their leases. What went on meanwhile anyway, such as sweeps and empty heartbeats, was measured before and is taken off.`,
      `Commands are those inside functions as well. For each server: the difference between ${WATCHING_SERVERS} that watch all and none, and a tenth of that; reading the stream is part of it.`,
      `With ${WATCHERS} watchers of each client drawn by lot among ${WATCHING_SERVERS} servers, a change went to ${formatNumber(mean(drawn.map(({ told }) => told)))} streams; on paper, to ${formatNumber(onPaper)}.`,
      `Medians of ${rounds} rounds, of bytes kept means.`,
    ],
  };
}

function row(name: string, usage: RedisUsage | undefined, keptBytes: number | undefined): string[] {
  const figures = usage
    ? [usage.commands, usage.cpuMicros, usage.bytesIn, usage.bytesOut]
    : Array<undefined>(4).fill(undefined);
  return [name, ...[...figures, keptBytes].map((figure) => (figure === undefined ? "" : formatNumber(figure)))];
}

/** Each client is watched by some people, who are at any of the servers. */
function drawInterest(clients: readonly string[]): Interest {
  const interest = Array.from({ length: WATCHING_SERVERS }, () => new Set<string>());
  for (const client of clients) {
    for (let watcher = 0; watcher < WATCHERS; watcher++) {
      interest[Math.floor(Math.random() * WATCHING_SERVERS)]?.add(client);
    }
  }
  return interest.map((watched) => [...watched]);
}

async function stay(live: number): Promise<Staying> {
  const clients = redisClientIds(live);
  const redis = await RedisProcess.start();
  const sender = redis.connect();
  const host = startHost(redis, LONG_INTERVAL_MS);
  try {
    await (await PresenceFunctions.connect(redis.commands, LONG_INTERVAL_MS, SILENT)).join(SERVER);
    const start = await readUsage(redis.commands);
    await untilWorkedOff(redis.commands, (await sendHeartbeats(sender, SERVER, clients)).at(-1) ?? "0-0");
    await untilQuiet(redis.commands);
    const before = await readUsage(redis.commands);
    await untilWorkedOff(redis.commands, (await sendHeartbeats(sender, SERVER, clients)).at(-1) ?? "0-0");
    await untilQuiet(redis.commands);
    const between = await readUsage(redis.commands);
    let lastId = "";
    for (let count = 0; count < EMPTY_HEARTBEATS; count++) lastId = await sendHeartbeat(sender, SERVER, []);
    await untilWorkedOff(redis.commands, lastId);
    const after = await readUsage(redis.commands);
    for (let count = 0; count < EMPTY_HEARTBEATS; count += EMPTY_AT_ONCE) {
      const entries = Array.from({ length: EMPTY_AT_ONCE }, () => sendHeartbeat(sender, SERVER, []));
      lastId = (await Promise.all(entries)).at(-1) ?? lastId;
    }
    await untilWorkedOff(redis.commands, lastId);
    const end = await readUsage(redis.commands);
    return {
      refresh: share(difference(between, before), live),
      empty: share(difference(after, between), EMPTY_HEARTBEATS),
      emptyAtOnce: share(difference(end, after), EMPTY_HEARTBEATS),
      heldBytes: share(difference(before, start), live).memoryBytes,
    };
  } finally {
    await host.stop();
    sender.disconnect();
    await redis.stop();
  }
}

async function change(clients: readonly string[], interest: Interest): Promise<Changing> {
  const redis = await RedisProcess.start();
  const host = startHost(redis, SHORT_INTERVAL_MS);
  const { commands } = redis;
  const servers = interest.map((_, index) => `watching-${index + 1}`);
  const readers: StreamReader[] = [];
  let beating: NodeJS.Timeout | undefined;
  try {
    const documents = clients.flatMap((id) => [contactKey(id), JSON.stringify({ id, name: id, contacts: [] })]);
    await commands.mset(...documents);
    const functions = await PresenceFunctions.connect(commands, SHORT_INTERVAL_MS, SILENT);
    for (const server of [SERVER, ...servers]) await functions.join(server);
    beating = setInterval(() => {
      for (const server of [SERVER, ...servers]) void sendHeartbeat(commands, server, []);
    }, SHORT_INTERVAL_MS / HEARTBEATS_PER_INTERVAL);
    const unwatched = await readUsage(commands);
    for (const [index, server] of servers.entries()) {
      await functions.read(server, "epoch", interest[index] ?? [], []);
      readers.push(new StreamReader(redis.connect(), server));
    }
    const watched = await readUsage(commands);
    const pairs = interest.reduce((sum, own) => sum + own.length, 0);

    const idle = await measured(commands, () => sleep(IDLE_MS));
    const untilTold = async (events: number) => {
      while (readers.some(({ count }, index) => count < events * (interest[index]?.length ?? 0))) await sleep(POLL_MS);
    };
    const coming = await measured(commands, async () => {
      await untilWorkedOff(redis.commands, (await sendHeartbeats(commands, SERVER, clients)).at(-1) ?? "0-0");
      await untilTold(1);
      await sleep(SETTLE_MS);
    });
    const going = await measured(commands, async () => {
      while ((await commands.zcard(DEADLINES_KEY)) > 0) await sleep(POLL_MS);
      await untilTold(2);
      await sleep(SETTLE_MS);
    });
    const gone = await readUsage(commands);
    const events = (await commands.hvals(SEQUENCES_KEY)).reduce((sum, count) => sum + Number(count), 0);
    const [first] = servers;
    const streamBytes = first
      ? Number(await commands.call("MEMORY", "USAGE", downstreamKey(first), "SAMPLES", "0"))
      : 0;
    const streamLength = first ? await commands.xlen(downstreamKey(first)) : 1;
    return {
      arrival: share(less(coming, idle), clients.length),
      departure: share(less(going, idle), clients.length),
      interestBytes: (watched.memoryBytes - unwatched.memoryBytes) / Math.max(1, pairs),
      eventBytes: streamBytes / streamLength,
      goneBytes: (gone.memoryBytes - watched.memoryBytes) / clients.length,
      told: events / (2 * clients.length),
    };
  } finally {
    clearInterval(beating);
    for (const reader of readers) reader.stop();
    await host.stop();
    await redis.stop();
  }
}

interface Measured {
  usage: RedisUsage;
  tookMs: number;
}

async function measured(redis: Redis, work: () => Promise<unknown>): Promise<Measured> {
  const [before, startMs] = [await readUsage(redis), performance.now()];
  await work();
  return { usage: difference(await readUsage(redis), before), tookMs: performance.now() - startMs };
}

/** What was done beside what is done anyway in that time. */
function less({ usage, tookMs }: Measured, idle: Measured): RedisUsage {
  return difference(usage, share(idle.usage, idle.tookMs / tookMs));
}

function startHost(redis: RedisProcess, heartbeatIntervalMs: number) {
  return startTriggerHost({ redisUrl: redis.server.url, heartbeatIntervalMs, logger: SILENT });
}

/** Reads a server's stream as the server does. */
class StreamReader {
  /** Events so far. */
  count = 0;
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, server: string) {
    this.#redis = redis;
    this.#key = downstreamKey(server);
    // Ended while it waits: there is nothing more to read.
    this.#read().catch(() => {});
  }

  stop(): void {
    this.#redis.disconnect();
  }

  async #read(): Promise<void> {
    for (let cursor = "0-0"; ; ) {
      const reply = await this.#redis.xread("COUNT", READ_AT_ONCE, "BLOCK", BLOCK_MS, "STREAMS", this.#key, cursor);
      const entries = reply?.[0]?.[1] ?? [];
      this.count += entries.length;
      cursor = entries.at(-1)?.[0] ?? cursor;
    }
  }
}
