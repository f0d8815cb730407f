import { setTimeout as sleep } from "node:timers/promises";
import { PresenceFunctions, startTriggerHost } from "@presence/gears";
import { downstreamKey, HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import { keepAlive } from "../load/keep-alive.ts";
import { redisClientIds, SILENT, sendHeartbeat } from "../load/redis-clients.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { percentile } from "../statistics.ts";
import { formatNumber } from "../table.ts";
import { atMost, type Verdict } from "../verdict.ts";

const LIVE = [1_000, 10_000, 100_000];
const DYING = 100;
const DEATH_GAP_MS = 10;
const SERVER = "server-1";
const WATCHER = "server-2";
const LEASE_INTERVALS = 1.5;
const LEAST_INTERVAL_MS = 2_000;
/** The more clients, the longer the interval: what is measured is how late a death is told, not how much a Redis bears. */
const MOST_REFRESHED_PER_SECOND = 20_000;
const DOWNSTREAM_BLOCK_MS = 500;
const CATCHING_UP_MS = 50;
/** At the 99th percentile. */
const MOST_LATE_MS = 50;

export const expiryLag: Question = {
  name: "expiry-lag",
  title: `How late OFFLINE is on Redis: ${DYING} of many clients die`,
  connections: () => 10,
  run,
};

/** How late each of the dying was told, ms; those that were not told within the window are missing. */
interface Lags {
  ours: number[];
  expired: number[];
}

interface Result {
  live: number;
  redisVersion: string;
  lags: Lags;
}

async function run({ isLong, live, onProgress }: Effort): Promise<Answer> {
  const windowMs = isLong ? 120_000 : 30_000;
  const rounds = isLong ? 5 : 3;
  const results: Result[] = [];
  for (const count of live === undefined ? LIVE : [live]) {
    const ofRounds: Result[] = [];
    for (let round = 0; round < rounds; round++) {
      onProgress(`round ${round + 1} of ${rounds}: ${DYING} die among ${formatNumber(count)}`);
      ofRounds.push(await measure(count, windowMs));
    }
    results.push(middleOf(ofRounds));
  }
  return {
    header: ["live", "told by", "told", "median ms late", "99th", "worst"],
    rows: results.flatMap(({ live: count, lags }) => [
      [formatNumber(count), "ours", ...figuresOf(lags.ours)],
      ["", "expired notification", ...figuresOf(lags.expired)],
    ]),
    notes: [
      `One Redis (${results[0]?.redisVersion}): each client that dies has, beside its lease, a plain key with the same end, whose expired notification is waited for. The live are heartbeating all the while.`,
      "From the end of the lease (1.5 intervals after the time in the id of the last heartbeat that names the client) to the arrival at a subscriber of the notification, or at a reader of a server's stream.",
      `Of ${rounds} rounds the middle one, by our 99th percentile.`,
      `Waited for ${formatNumber(windowMs / 1000)} s; percentiles are of all ${DYING}, and – where so many were not told by then.`,
    ],
    verdicts: results.map(({ live: count, lags }) => verdictOn(count, lags.ours)),
    data: dotsOf(results, windowMs),
  };
}

/** Another's work on the machine spoils a round now and then. */
function middleOf(rounds: readonly Result[]): Result {
  const byLag = rounds.toSorted((one, other) => percentile(one.lags.ours, 0.99) - percentile(other.lags.ours, 0.99));
  const middle = byLag[Math.floor(byLag.length / 2)];
  if (!middle) throw new Error("there was no round.");
  return middle;
}

function figuresOf(lags: readonly number[]): string[] {
  const all = withMissing(lags);
  return [`${lags.length} of ${DYING}`, ...[0.5, 0.99, 1].map((share) => formatNumber(percentile(all, share)))];
}

/** Of all who died: who wasn't told of is late for ever. */
function withMissing(lags: readonly number[]): number[] {
  return [...lags, ...Array<number>(DYING - lags.length).fill(Number.POSITIVE_INFINITY)];
}

function verdictOn(live: number, lags: readonly number[]): Verdict {
  const p99Ms = percentile(withMissing(lags), 0.99);
  return atMost(MOST_LATE_MS, `OFFLINE late, among ${formatNumber(live)}, 99th`, p99Ms, "ms");
}

function dotsOf(results: readonly Result[], windowMs: number): object {
  const round = (lags: readonly number[]) => lags.map((lag) => Math.round(10 * lag) / 10).sort((a, b) => a - b);
  return {
    redis: results[0]?.redisVersion,
    dying: DYING,
    windowMs,
    series: results.map(({ live, lags }) => ({ live, ours: round(lags.ours), expired: round(lags.expired) })),
  };
}

async function measure(live: number, windowMs: number): Promise<Result> {
  const redis = await RedisProcess.start();
  const heartbeatIntervalMs = Math.max(LEAST_INTERVAL_MS, (1000 * live) / MOST_REFRESHED_PER_SECOND);
  const [sender, subscriber, reader] = [redis.connect(), redis.connect(), redis.connect()];
  const stopping = new AbortController();
  const dying = Array.from({ length: DYING }, (_, index) => `dying-${index}`);
  const functions = await PresenceFunctions.connect(redis.commands, heartbeatIntervalMs, SILENT);
  await functions.join(SERVER);
  await functions.join(WATCHER);
  await functions.read(WATCHER, "epoch", dying, []);
  const host = startTriggerHost({ redisUrl: redis.server.url, heartbeatIntervalMs, logger: SILENT });
  const refreshing = keepAlive(sender, SERVER, redisClientIds(live), heartbeatIntervalMs, stopping.signal);
  await untilCaughtUp(redis.commands, (await refreshing.isUp).at(-1) ?? "0-0");
  const lags: Lags = { ours: [], expired: [] };
  const deadlines = new Map<string, number>();
  await followExpired(subscriber, (key) => lags.expired.push(nowMs() - (deadlines.get(key) ?? Number.NaN)));
  const following = followOffline(reader, stopping.signal, (client) =>
    lags.ours.push(nowMs() - (deadlines.get(client) ?? Number.NaN)),
  );
  const leaseMs = Math.ceil(LEASE_INTERVALS * heartbeatIntervalMs);
  for (const client of dying) {
    const id = await sendHeartbeat(redis.commands, SERVER, [client]);
    const deadlineMs = Number(id.split("-")[0]) + leaseMs;
    deadlines.set(client, deadlineMs);
    await redis.commands.set(client, "1", "PXAT", deadlineMs);
    await sleep(DEATH_GAP_MS);
  }
  const endMs = Math.max(...deadlines.values()) + windowMs;
  while (nowMs() < endMs && (lags.ours.length < DYING || lags.expired.length < DYING)) await sleep(DEATH_GAP_MS);
  const redisVersion = await redis.version();
  stopping.abort();
  await Promise.all([refreshing.isDone, following]);
  await host.stop();
  for (const connection of [sender, subscriber, reader]) connection.disconnect();
  await redis.stop();
  return { live, redisVersion, lags };
}

/** Until everyone is online, and what was written meanwhile has been worked off: a crowd that arrives is another question. */
async function untilCaughtUp(redis: Redis, lastId: string): Promise<void> {
  for (;;) {
    const [group] = (await redis.xinfo("GROUPS", HEARTBEAT_KEY)) as unknown[][];
    const field = (name: string) => group?.[group.indexOf(name) + 1];
    if (compareIds(String(field("last-delivered-id")), lastId) >= 0 && field("lag") === 0) return;
    await sleep(CATCHING_UP_MS);
  }
}

function compareIds(one: string, other: string): number {
  return Number(one.split("-")[0]) - Number(other.split("-")[0]);
}

/** By the system's clock, which is Redis's as well, with fractions: ms since the epoch. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The keys of the dying are named as they are; leases have other names. */
async function followExpired(subscriber: Redis, onExpired: (key: string) => void): Promise<void> {
  subscriber.on("message", (_channel: string, key: string) => {
    if (key.startsWith("dying-")) onExpired(key);
  });
  await subscriber.subscribe("__keyevent@0__:expired");
}

async function followOffline(reader: Redis, signal: AbortSignal, onOffline: (client: string) => void): Promise<void> {
  for (let cursor = "0-0"; !signal.aborted; ) {
    const reply = await reader.xread("BLOCK", DOWNSTREAM_BLOCK_MS, "STREAMS", downstreamKey(WATCHER), cursor);
    for (const [id, fields] of reply?.[0]?.[1] ?? []) {
      cursor = id;
      const value = (field: string) => fields[fields.indexOf(field) + 1] ?? "";
      if (value("status") === "OFFLINE") onOffline(value("client"));
    }
  }
}
