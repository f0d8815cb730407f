import { parseArgs } from "node:util";
import type { Benchmark, Effort } from "./benchmark.ts";
import { allAtOnce } from "./benchmarks/all-at-once.ts";
import { arrivals } from "./benchmarks/arrivals.ts";
import { burst } from "./benchmarks/burst.ts";
import { cluster } from "./benchmarks/cluster.ts";
import { costs } from "./benchmarks/costs.ts";
import { expiryLag } from "./benchmarks/expiry-lag.ts";
import { heartbeats } from "./benchmarks/heartbeats.ts";
import { idleMemory } from "./benchmarks/idle-memory.ts";
import { loneEvent } from "./benchmarks/lone-event.ts";
import { reconnectStorm } from "./benchmarks/reconnect-storm.ts";
import { serverCrash } from "./benchmarks/server-crash.ts";
import { steady } from "./benchmarks/steady.ts";
import { webApp } from "./benchmarks/web-app.ts";
import { publish, readRecord, writeRecord } from "./report/files.ts";
import { recordOf } from "./report/record.ts";
import { formatTable } from "./report/table.ts";
import { formatVerdicts, type Verdict } from "./report/verdict.ts";
import { readMachine, requireOpenFiles } from "./setup/machine.ts";
import { readRedisVersion } from "./setup/redis-process.ts";
import { inScope } from "./setup/scope.ts";
import { buildPrograms, profileServers } from "./setup/server-process.ts";

const BENCHMARKS: readonly Benchmark[] = [
  burst,
  steady,
  loneEvent,
  arrivals,
  idleMemory,
  reconnectStorm,
  serverCrash,
  expiryLag,
  heartbeats,
  allAtOnce,
  cluster,
  costs,
  webApp,
];

const USAGE = `npm run bench -- [${BENCHMARKS.map(({ name }) => name).join("] [")}] [option…]

  Without a name, all benchmarks run.
  --quick    one round of a tenth of the load, to see that a benchmark works; its figures mean nothing
  --long     more rounds
  --live N   the number of live clients in all-at-once, expiry-lag, heartbeats, cluster and costs
  --record   stores the figures in images/data, draws the chart, and inserts both into the documentation
  --draw     runs nothing: draws and inserts what was recorded
  --profile  writes a processor profile of each server (*.cpuprofile) to bench/dist/profiles`;

const OPTIONS = {
  quick: { type: "boolean", default: false },
  long: { type: "boolean", default: false },
  live: { type: "string" },
  record: { type: "boolean", default: false },
  draw: { type: "boolean", default: false },
  profile: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const { quick, long, record, draw, help } = values;
  const live = values.live === undefined ? undefined : Number(values.live);
  const problem = findProblem(positionals, live, quick && (long || record));
  if (help || problem) {
    console.log([problem, USAGE].filter(Boolean).join("\n\n"));
    process.exitCode = problem ? 1 : 0;
    return;
  }
  const benchmarks = BENCHMARKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  if (draw) {
    for (const recorded of benchmarks.flatMap(({ name }) => readRecord(name) ?? [])) publish(recorded);
    return;
  }
  const kind = (quick && "quick") || (long && "long") || "usual";
  if (values.profile) profileServers();
  await runAll(benchmarks, { kind, live, onProgress: showProgress }, record);
}

function findProblem(names: readonly string[], live: number | undefined, isMixed: boolean): string | undefined {
  const unknown = names.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
  if (unknown !== undefined) return `There is no benchmark ${unknown}.`;
  if (live !== undefined && !(Number.isInteger(live) && live > 0)) return "--live needs a number of clients.";
  return isMixed ? "--quick cannot be combined with --long or --record." : undefined;
}

async function runAll(benchmarks: readonly Benchmark[], effort: Effort, isRecorded: boolean): Promise<void> {
  const { cores, processor, kernel, load } = readMachine();
  const node = `Node ${process.versions.node}`;
  console.log(`${cores} cores (${processor}), ${kernel}, ${node}, load ${load.toFixed(1)} at the start\n`);
  if (load > cores / 2) console.log("Other programs use this machine: the figures will vary.\n");
  console.log("Only the ratios within one run count: absolute figures differ from machine to machine.\n");
  await buildPrograms();
  const verdicts: Verdict[] = [];
  // If one benchmark fails, the others still run.
  for (const benchmark of benchmarks) verdicts.push(...(await runOne(benchmark, effort, isRecorded)));
  if (verdicts.length > 0) console.log(`## Targets\n\n${formatVerdicts(verdicts)}\n`);
}

async function runOne(benchmark: Benchmark, effort: Effort, isRecorded: boolean): Promise<readonly Verdict[]> {
  const startMs = performance.now();
  const when = { date: new Date(), machine: readMachine() };
  console.log(`## ${benchmark.title}\n`);
  try {
    requireOpenFiles(benchmark.connections);
    const result = await benchmark.run(effort);
    const { header, rows, notes, verdicts = [] } = result;
    showProgress("");
    if (isRecorded) {
      const redisVersion = await inScope(readRedisVersion);
      const record = recordOf(benchmark, effort, result, {
        ...when,
        nodeVersion: process.versions.node,
        redisVersion,
      });
      writeRecord(record);
      publish(record);
    }
    const seconds = Math.round((performance.now() - startMs) / 1000);
    console.log(`${formatTable(header, rows)}\n\n${notes.map((note) => `- ${note}`).join("\n")}\n\n(${seconds} s)\n`);
    return verdicts;
  } catch (error) {
    showProgress("");
    console.log(`${benchmark.name} ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    return [];
  }
}

/** Overwrites one line of the terminal. */
function showProgress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${step}`);
}

await main();
// A failed benchmark can leave a connection that keeps the process alive.
process.exit();
