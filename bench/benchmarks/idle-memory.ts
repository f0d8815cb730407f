import { setTimeout as sleep } from "node:timers/promises";
import { captionOf, defineBenchmark } from "../benchmark.ts";
import { nextColleagues, writeColleagues } from "../load/contact-documents.ts";
import { RawStream } from "../load/raw-stream.ts";
import { closeAll, openStreams } from "../load/streams.ts";
import { formatNumber, formatRatio } from "../report/table.ts";
import { atMost } from "../report/verdict.ts";
import { canOpen } from "../setup/machine.ts";
import { BARE_HTTP, BETTER_SSE, colleaguePath, OURS, type PushProgram } from "../setup/programs.ts";
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

export const idleMemory = defineBenchmark<"heapKb" | "residentKb" | "connections">({
  name: "idle-memory",
  title: "Memory of an idle connection",
  connections: FEW_CONNECTIONS,
  rounds: { usual: 2, long: 3 },
  async setUp(effort) {
    const count = effort.scaled(canOpen(CONNECTIONS) ? CONNECTIONS : FEW_CONNECTIONS);
    const redis = await RedisProcess.start();
    const size = count + WARM_UP;
    await writeColleagues(redis, size, (index) => nextColleagues(index, CONTACTS, size));
    const onRedis = { env: { REDIS_URL: redis.url }, watchPath: colleaguePath };
    const programs: PushProgram[] = [
      { ...OURS, name: "ours, tabs of three clients" },
      { ...OURS, name: `ours, on Redis, a different client with ${CONTACTS} contacts each`, ...onRedis },
      BETTER_SSE,
      { ...BARE_HTTP, name: "node:http, bare" },
    ];
    return {
      peers: programs.map((program, index) => ({
        name: program.name,
        isOurs: index < 2,
        measure: () => measure(program, count, effort.nodeArgs),
      })),
    };
  },
  report(samples, run) {
    const [first, ours = first] = samples;
    const count = formatNumber(ours.median("connections"));
    return {
      names: "server",
      columns: [
        ["live heap kB", (sample) => sample.median("heapKb")],
        ["of ours", (sample) => formatRatio(sample.median("heapKb"), first.median("heapKb"))],
        ["resident kB", (sample) => sample.median("residentKb")],
        ["of ours", (sample) => formatRatio(sample.median("residentKb"), first.median("residentKb"))],
      ],
      notes: [
        `Per connection, of ${count} connections without events; without the socket buffers of the operating system.`,
        "Live heap: after two forced garbage collections. Resident: the growth of the process, including the slack of the garbage collector.",
      ],
      // Of ours the second is compared: with a different client on each connection the server keeps more.
      targets: PANELS.flatMap(({ figure, name }) =>
        TARGETS.map(({ peer, name: peerName, times }) => {
          const reference = samples[peer]?.median(figure) ?? Number.NaN;
          const label = `target: ${times} × ${peerName}`;
          return {
            ...atMost(times, `idle connection, ${name}, ours to ${peerName}`, ours.median(figure) / reference),
            mark: { bar: ours.name, figure, value: times * reference, label },
          };
        }),
      ),
      chart: {
        title: `${run.title}, of ${count}`,
        caption: captionOf(run),
        panels: PANELS.map(({ figure, measure: words }) => ({ measure: words, unit: "kB", better: "less", figure })),
      },
    };
  },
});

async function measure(program: PushProgram, count: number, nodeArgs: readonly string[]) {
  const server = await startServer(program, nodeArgs);
  const open = (index: number) => RawStream.open(server.port, program.watchPath(index));
  const settle = async () => {
    await sleep(SETTLE_MS);
    return server.memoryUsage();
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
