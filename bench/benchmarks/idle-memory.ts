import { setTimeout as sleep } from "node:timers/promises";
import { defineBenchmark, type Run } from "../benchmark.ts";
import { colleagueIds, colleaguePath } from "../load/colleagues.ts";
import { nextColleagues, writeContacts } from "../load/contact-documents.ts";
import { RawStream } from "../load/raw-stream.ts";
import { closeAll, openStreams } from "../load/streams.ts";
import { formatNumber } from "../report/table.ts";
import { atMost } from "../report/verdict.ts";
import { canOpen } from "../setup/machine.ts";
import { BARE_HTTP, BETTER_SSE, OURS, type PushProgram } from "../setup/programs.ts";
import { RedisProcess } from "../setup/redis-process.ts";
import { startServer } from "../setup/server-process.ts";

const CONNECTIONS = 15_000;
/** If fewer files can be open. */
const FEW_CONNECTIONS = 5_000;
const WARM_UP = 200;
const CONTACTS = 100;
/** Of this many connections, some are always sent a keep-alive, so that there is no quiet to wait for. */
const SETTLE_MS = 3_000;
const BYTES_PER_KB = 1024;
/** The share of a peer's memory that ours may take. */
const TARGETS = [
  { peer: 2, name: "better-sse", times: 0.5 },
  { peer: 3, name: "bare node:http", times: 1.2 },
];
const PANELS = [
  { figure: "heapKb", name: "heap", measure: "live heap per connection" },
  { figure: "residentKb", name: "resident", measure: "resident memory per connection" },
] as const;

export const idleMemory = defineBenchmark<"heapKb" | "residentKb" | "connections", PushProgram & { isOurs?: boolean }>({
  name: "idle-memory",
  title: "Memory of an idle connection",
  connections: FEW_CONNECTIONS,
  rounds: { usual: 2, long: 3 },
  async setUp(run) {
    const redis = await RedisProcess.start();
    const size = countOf(run) + WARM_UP;
    await writeContacts(redis, colleagueIds(size), (index) => nextColleagues(index, CONTACTS, size));
    const onRedis = { env: { REDIS_URL: redis.url }, watchPath: colleaguePath };
    return [
      { ...OURS, name: "ours, tabs of three clients" },
      { ...OURS, isOurs: true, name: `ours, on Redis, a different client with ${CONTACTS} contacts each`, ...onRedis },
      BETTER_SSE,
      { ...BARE_HTTP, name: "node:http, bare" },
    ];
  },
  measure,
  report(samples, run) {
    const [first, ours = first] = samples;
    const count = formatNumber(ours.median("connections"));
    return {
      names: "server",
      columns: [
        ["live heap kB", "heapKb"],
        ["of ours", (sample) => sample.ratio("heapKb", first)],
        ["resident kB", "residentKb"],
        ["of ours", (sample) => sample.ratio("residentKb", first)],
      ],
      notes: [
        `Per connection, of ${count} connections without events; without the socket buffers of the operating system.`,
        "Live heap: after two forced garbage collections. Resident: the growth of the process, including the slack of the garbage collector.",
      ],
      // Of ours the second is compared: with a different client on each connection the server keeps more.
      targets: PANELS.flatMap(({ figure, name }) =>
        TARGETS.map(({ peer, name: peerName, times }) =>
          ours.target(atMost, times, `idle connection, ${name}, ours to ${peerName}`, figure, samples[peer], peerName),
        ),
      ),
      chart: {
        title: `${run.title}, of ${count}`,
        caption: run.caption(),
        panels: PANELS.map(({ figure, measure: words }) => ({ measure: words, unit: "kB", better: "less", figure })),
      },
    };
  },
});

function countOf(run: Run): number {
  return run.scaled(canOpen(CONNECTIONS) ? CONNECTIONS : FEW_CONNECTIONS);
}

async function measure(run: Run, program: PushProgram) {
  const count = countOf(run);
  const server = await startServer(program);
  const open = (index: number) => RawStream.open(server.port, program.watchPath(index));
  const settle = async () => {
    await sleep(SETTLE_MS);
    return server.ask("memory");
  };
  closeAll(await openStreams(WARM_UP, open));
  const before = await settle();
  await openStreams(count, (index) => open(index + WARM_UP));
  const after = await settle();
  return {
    heapKb: (after.heapBytes - before.heapBytes) / count / BYTES_PER_KB,
    residentKb: (after.residentBytes - before.residentBytes) / count / BYTES_PER_KB,
    connections: count,
  };
}
