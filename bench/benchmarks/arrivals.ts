import { defineBenchmark, type Run } from "../benchmark.ts";
import { colleagueIds, colleaguePath } from "../load/colleagues.ts";
import { writeContacts } from "../load/contact-documents.ts";
import { RawStream } from "../load/raw-stream.ts";
import { closeAll, measureUsage } from "../load/streams.ts";
import { formatNumber, formatShare } from "../report/table.ts";
import { atLeast } from "../report/verdict.ts";
import { BARE_HTTP, BETTER_SSE, OURS, type PushProgram } from "../setup/programs.ts";
import { RedisProcess } from "../setup/redis-process.ts";
import { onScopeEnd } from "../setup/scope.ts";
import { startServer } from "../setup/server-process.ts";

const CONTACTS = 100;
const WARM_UP = 3_000;
const ARRIVALS = 6_000;
/** Connections that are being opened at any time: enough to keep the server busy. */
const CONCURRENCY = 64;
/** How many times better-sse's rate ours should be. */
const TARGET = 2;

interface Entrant extends PushProgram {
  /** JSON objects at the start of a stream. */
  firstObjects: number;
}

const ENTRANTS: Entrant[] = [
  { ...OURS, name: "ours, through Redis, with a snapshot", watchPath: colleaguePath, firstObjects: CONTACTS + 1 },
  { ...BETTER_SSE, name: `${BETTER_SSE.name}, no snapshot`, firstObjects: 0 },
  { ...BARE_HTTP, name: "node:http, response head only", firstObjects: 0 },
];

export const arrivals = defineBenchmark<"rate" | "cpuMicros" | "readerShare">({
  name: "arrivals",
  title: `Connections accepted per second, including a snapshot of ${CONTACTS} contacts`,
  connections: WARM_UP + ARRIVALS,
  rounds: { usual: 5, long: 9 },
  setUp: async () => ENTRANTS,
  measure,
  report([ours, betterSse], run) {
    return {
      names: "server",
      columns: [
        ["connections/s", "rate"],
        ["min – max", (sample) => sample.spread("rate")],
        ["ours is", (sample) => ours.ratio("rate", sample)],
        ["CPU µs each", "cpuMicros"],
        ["reader busy", (sample) => formatShare(sample.median("readerShare"))],
      ],
      notes: [
        `${formatNumber(ARRIVALS)} clients, ${CONCURRENCY} of them connecting at any time. A connection counts when its snapshot has arrived; at a peer, when its response begins. CPU is the server's, for ours including all of Redis's.`,
        "Ours also sets a lease for each client, registers its contacts, and publishes its arrival. No contact is online, so that no viewer receives the arrivals.",
        "node:http, which only writes a response head, shows the most that one process on node:http can accept.",
      ],
      targets: [
        ours.target(
          atLeast,
          TARGET,
          "connections/s, ours to better-sse without a snapshot",
          "rate",
          betterSse,
          "better-sse",
        ),
      ],
      chart: {
        caption: run.caption(`${formatNumber(ARRIVALS)} connections each. Only ours sends contacts.`),
        panels: [
          {
            measure: "connections per second",
            better: "more",
            figure: "rate",
            note: (sample) => (sample === ours ? undefined : `ours is ${ours.ratio("rate", sample)}`),
          },
        ],
      },
    };
  },
});

/** Starts a new server and a new Redis. */
async function measure(run: Run, entrant: Entrant) {
  const [warmUp, count] = [run.scaled(WARM_UP), run.scaled(ARRIVALS)];
  const size = warmUp + count;
  const redis = await RedisProcess.start();
  // No contact exists: the cost of a change is measured elsewhere.
  await writeContacts(redis, colleagueIds(size), (index) =>
    Array.from({ length: CONTACTS }, (_, step) => `absent-${(index + step + 1) % size}`),
  );
  const server = await startServer({ ...entrant, env: { REDIS_URL: redis.url } });
  const streams: RawStream[] = [];
  onScopeEnd(() => closeAll(streams));
  const connect = async (from: number, to: number) => {
    const startMs = performance.now();
    const indices = Array.from({ length: to - from }, (_, index) => from + index).values();
    const connectInTurn = async () => {
      for (const index of indices) {
        const stream = await RawStream.open(server.port, entrant.watchPath(index));
        streams.push(stream);
        await stream.received(entrant.firstObjects);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, connectInTurn));
    return performance.now() - startMs;
  };
  await connect(0, warmUp);
  const { wallMs, usedMs, readerShare } = await measureUsage(redis.cpuMsWith(server), () => connect(warmUp, size));
  return { rate: (1000 * count) / wallMs, cpuMicros: (1000 * usedMs) / count, readerShare };
}
