import { setTimeout as sleep } from "node:timers/promises";
import { colleagueId, colleaguePath, oursWithColleagues } from "../contestants.ts";
import { closeAll, until } from "../load/crowd.ts";
import { observe } from "../load/observer.ts";
import { RawStream } from "../load/raw-stream.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { median, percentile } from "../statistics.ts";
import { formatNumber, formatRatio } from "../table.ts";

const CONNECTS_PER_SECOND = 100;
const CONNECTS = 500;
const WARM_UP = 200;
/** Hops of one connect: heartbeat up, presence event down, each over a stream. */
const HOP_KEY = "hop";
const HOP_BLOCK_MS = 500;

/** Latencies of one round, ms. */
interface Round {
  ours: number[];
  hop: number[];
}

export const acrossServers: Question = {
  name: "across-servers",
  title: `Connect → ONLINE at a watcher on another server, ${CONNECTS_PER_SECOND} connects/s`,
  connections: () => WARM_UP + CONNECTS,
  run,
};

async function run({ isLong, nodeArgs, onProgress }: Effort): Promise<Answer> {
  const rounds: Round[] = [];
  for (let round = 0; round < (isLong ? 9 : 3); round++) {
    onProgress(`round ${round + 1}`);
    rounds.push(await measure(nodeArgs));
  }
  const ours = rounds.flatMap((round) => round.ours);
  const hop = rounds.flatMap((round) => round.hop);
  const row = (name: string, latencies: readonly number[], roundsOf: (round: Round) => readonly number[]) => [
    name,
    ...[0.5, 0.99, 1].map((share) => formatNumber(percentile(latencies, share))),
    formatNumber(median(rounds.map((round) => percentile(roundsOf(round), 0.99)))),
    formatRatio(percentile(latencies, 0.5), percentile(hop, 0.5)),
  ];
  return {
    header: ["way", "median ms", "99th", "worst", "99th, median of rounds", "of the hop's median"],
    rows: [
      row("connect → ONLINE", ours, (round) => round.ours),
      row("XADD → blocked XREAD", hop, (round) => round.hop),
    ],
    notes: [
      "Two servers, each with a trigger host inside, on one Redis. From the first byte of a request to one server to the ONLINE's arrival at a reader of the other one's stream: two such hops, two calls of the logic, two HTTP servers.",
      "The bare hop is measured in the same seconds, on the same Redis, once for each connect.",
    ],
  };
}

async function measure(nodeArgs: readonly string[]): Promise<Round> {
  const redis = await RedisProcess.start();
  const contestant = oursWithColleagues(WARM_UP + CONNECTS);
  const env = (id: string) => ({ REDIS_URL: redis.server.url, SERVER_ID: id });
  const servers: ServerProcess[] = [];
  for (const id of ["server-1", "server-2"]) {
    servers.push(await startServerProcess({ ...contestant, env: env(id) }, nodeArgs));
  }
  const [near, far] = servers;
  if (!near || !far) throw new Error("needs two servers.");
  const hops = await startHops(redis);
  const startedMs = new Map<string, number>();
  const latencies = new Map<string, number>();
  const observer = await observe(far.port, contestant.watchPath(0), ({ client, status }) => {
    const start = startedMs.get(client);
    if (status === "ONLINE" && start !== undefined) latencies.set(client, performance.now() - start);
  });
  const streams: RawStream[] = [];
  const opening: Promise<unknown>[] = [];
  let dueMs = performance.now();
  for (let index = 0; index < WARM_UP + CONNECTS; index++) {
    dueMs += 1000 / CONNECTS_PER_SECOND;
    await sleep(Math.max(0, dueMs - performance.now()));
    if (index === WARM_UP) hops.latenciesMs.length = 0;
    startedMs.set(colleagueId(index), performance.now());
    opening.push(RawStream.open(near.port, colleaguePath(index)).then((stream) => streams.push(stream)));
    await sleep(500 / CONNECTS_PER_SECOND);
    hops.send();
  }
  await Promise.all(opening);
  await until(() => latencies.size === WARM_UP + CONNECTS);
  await hops.stop();
  observer.close();
  closeAll(streams);
  for (const server of servers) await server.stop();
  await redis.stop();
  return {
    ours: [...startedMs.keys()].slice(WARM_UP).map((id) => latencies.get(id) ?? Number.NaN),
    hop: hops.latenciesMs,
  };
}

/** The least that one hop over a stream takes, from `XADD` to the return of an `XREAD` that waited for it. */
async function startHops(redis: RedisProcess) {
  const [sender, reader] = [redis.connect(), redis.connect()];
  const latenciesMs: number[] = [];
  let isStopping = false;
  const reading = (async () => {
    for (let cursor = "0-0"; !isStopping; ) {
      const reply = await reader.xread("BLOCK", HOP_BLOCK_MS, "STREAMS", HOP_KEY, cursor);
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        cursor = id;
        latenciesMs.push(performance.now() - Number(fields[1]));
      }
    }
  })();
  return {
    latenciesMs,
    send() {
      void sender.xadd(HOP_KEY, "*", "at", String(performance.now()));
    },
    async stop() {
      isStopping = true;
      await reading;
      sender.disconnect();
      reader.disconnect();
    },
  };
}
