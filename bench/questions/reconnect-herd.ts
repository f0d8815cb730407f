import { BARE_HTTP, colleaguePath, OURS, type Watchable } from "../contestants.ts";
import { closeAll, lastReadMs, untilQuiet } from "../load/crowd.ts";
import { observe } from "../load/observer.ts";
import { RawStream } from "../load/raw-stream.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { median } from "../statistics.ts";
import { formatNumber, formatRatio } from "../table.ts";

const CLIENTS = 2_000;
const CONTACTS = 200;
const MISSED = 10;

interface Herd {
  wallMs: number;
  cpuMs: number;
  bytesEach: number;
}

interface Way {
  name: string;
  contestant: Watchable;
  isResuming: boolean;
  herds: Herd[];
}

export const reconnectHerd: Question = {
  name: "reconnect-herd",
  title: `${formatNumber(CLIENTS)} clients reconnect at once, each with ${CONTACTS} contacts of whom ${MISSED} have come`,
  isWithoutRedis: true,
  connections: () => CLIENTS,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const rounds = effort.isLong ? 7 : 3;
  const ours = { ...OURS, args: ["--contacts", String(CONTACTS)] };
  const bare = { ...BARE_HTTP, env: { SNAPSHOT_CONTACTS: String(CONTACTS) } };
  const ways: Way[] = [
    { name: "ours, with Last-Event-ID: what was missed", contestant: ours, isResuming: true, herds: [] },
    { name: "ours, without: a snapshot", contestant: ours, isResuming: false, herds: [] },
    { name: "node:http, always a snapshot", contestant: bare, isResuming: false, herds: [] },
  ];
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      effort.onProgress(`round ${round + 1} of ${rounds}: ${way.name}`);
      way.herds.push(await measure(way, effort));
    }
  }
  const medianOf = ({ herds }: Way, figure: keyof Herd) => median(herds.map((herd) => herd[figure]));
  const [resumed] = ways;
  return {
    header: ["way", "bytes each", "of ours", "CPU ms", "of ours", "ms until all are up to date"],
    rows: ways.map((way) => [
      way.name,
      formatNumber(medianOf(way, "bytesEach")),
      resumed ? formatRatio(medianOf(way, "bytesEach"), medianOf(resumed, "bytesEach")) : "",
      formatNumber(medianOf(way, "cpuMs")),
      resumed ? formatRatio(medianOf(way, "cpuMs"), medianOf(resumed, "cpuMs")) : "",
      formatNumber(medianOf(way, "wallMs")),
    ]),
    notes: [
      "Bytes with the response's head. CPU is the server's for all of them.",
      "All are opened in the same moment, with no jitter. Whom the listen queue has no room for tries again after a second: the time is that of the unluckiest, and jumps by seconds.",
    ],
  };
}

/** A fresh server each time, warmed by a first herd. */
async function measure({ contestant, isResuming }: Way, { nodeArgs }: Effort): Promise<Herd> {
  const server = await startServerProcess(contestant, nodeArgs);
  const first = await stampede(server, contestant, {});
  closeAll(first);
  const lastEventId = await missEvents(server, contestant);
  const headers = isResuming ? { "Last-Event-ID": lastEventId } : {};
  const before = await server.processorUsage();
  const startMs = performance.now();
  const herd = await stampede(server, contestant, headers);
  const after = await server.processorUsage();
  const bytes = herd.reduce((sum, stream) => sum + stream.bytes, 0);
  closeAll(herd);
  await server.stop();
  return {
    wallMs: lastReadMs(herd) - startMs,
    cpuMs: after.cpuMs - before.cpuMs,
    bytesEach: bytes / herd.length,
  };
}

async function stampede(
  { port }: ServerProcess,
  { watchPath }: Watchable,
  headers: Readonly<Record<string, string>>,
): Promise<RawStream[]> {
  const opening = Array.from({ length: CLIENTS }, (_, index) => RawStream.open(port, watchPath(index), headers));
  const streams = await Promise.all(opening);
  await untilQuiet(streams);
  return streams;
}

/** Lets contacts come while the herd is away. @returns the id of the event before the first of them */
async function missEvents({ port }: ServerProcess, { watchPath }: Watchable): Promise<string> {
  const ids: string[] = [];
  const observer = await observe(port, watchPath(0), ({ eventId }) => ids.push(eventId ?? ""));
  const comers: RawStream[] = [];
  for (let index = 0; index <= MISSED; index++) {
    comers.push(await RawStream.open(port, colleaguePath(index)));
  }
  await untilQuiet(comers);
  observer.close();
  const [id] = ids;
  if (id === undefined) throw new Error("saw nobody come.");
  return id;
}
