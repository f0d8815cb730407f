import { parseArgs } from "node:util";
import { stopLeftBehind } from "./left-behind.ts";
import { isBusy, readMachine, requireOpenFiles } from "./machine.ts";
import type { Effort, Question } from "./question.ts";
import { acrossServers } from "./questions/across-servers.ts";
import { allAtOnce } from "./questions/all-at-once.ts";
import { arrivals } from "./questions/arrivals.ts";
import { burst } from "./questions/burst.ts";
import { cluster } from "./questions/cluster.ts";
import { costs } from "./questions/costs.ts";
import { expiryLag } from "./questions/expiry-lag.ts";
import { fanOut } from "./questions/fan-out.ts";
import { heartbeats } from "./questions/heartbeats.ts";
import { idleMemory } from "./questions/idle-memory.ts";
import { loneEvent } from "./questions/lone-event.ts";
import { offlineLag } from "./questions/offline-lag.ts";
import { reconnectHerd } from "./questions/reconnect-herd.ts";
import { reconnectStorm } from "./questions/reconnect-storm.ts";
import { serverCrash } from "./questions/server-crash.ts";
import { steady } from "./questions/steady.ts";
import { webApp } from "./questions/web-app.ts";
import { publish, readRecord, writeRecord } from "./record/files.ts";
import { recordOf } from "./record/record.ts";
import { RedisProcess } from "./redis-process.ts";
import { buildPrograms } from "./server-process.ts";
import { formatTable } from "./table.ts";
import { formatVerdicts, type Verdict } from "./verdict.ts";

const QUESTIONS: readonly Question[] = [
  fanOut,
  burst,
  steady,
  loneEvent,
  arrivals,
  idleMemory,
  offlineLag,
  reconnectHerd,
  reconnectStorm,
  serverCrash,
  expiryLag,
  heartbeats,
  acrossServers,
  allAtOnce,
  cluster,
  costs,
  webApp,
];

const USAGE = `npm run bench -- [${QUESTIONS.map(({ name }) => name).join("] [")}] [--long] [--live N] [--record] [--draw] [--profile]

  Without a name, all are asked.
  --long     more rounds and more clients
  --live N   for expiry-lag, heartbeats, cluster and costs: so many clients live, say 1000000
  --record   keeps the figures in images/data, draws their chart, and puts both into the documentation
  --draw     asks nothing: draws, and puts into the documentation, what was recorded
  --profile  writes a processor profile of each server (*.cpuprofile) to bench/dist/profiles`;

/** Asks the questions named on the command line and prints a table each. */
async function main(): Promise<void> {
  const options = {
    long: { type: "boolean" },
    live: { type: "string" },
    record: { type: "boolean" },
    draw: { type: "boolean" },
    profile: { type: "boolean" },
    help: { type: "boolean" },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const unknown = positionals.find((name) => !QUESTIONS.some((question) => question.name === name));
  const live = values.live === undefined ? undefined : Number(values.live);
  const problem =
    unknown !== undefined
      ? `There is no question ${unknown}.`
      : live !== undefined && !(Number.isInteger(live) && live > 0) && "--live takes a number of clients.";
  if (values.help || problem) {
    console.log(problem ? `${problem}\n\n${USAGE}` : USAGE);
    process.exitCode = problem ? 1 : 0;
    return;
  }
  const asked = positionals.length === 0 ? QUESTIONS : QUESTIONS.filter(({ name }) => positionals.includes(name));
  if (values.draw) {
    publishRecorded(asked);
    return;
  }
  const effort: Effort = {
    isLong: values.long === true,
    live,
    nodeArgs: values.profile ? ["--cpu-prof", "--cpu-prof-dir=bench/dist/profiles"] : [],
    onProgress: showProgress,
  };
  await askAll(asked, effort, values.record === true);
}

function publishRecorded(questions: readonly Question[]): void {
  for (const { name } of questions) {
    const record = readRecord(name);
    if (record) publish(record);
  }
}

async function askAll(questions: readonly Question[], effort: Effort, isRecorded: boolean): Promise<void> {
  const { cores, processor, kernel, load } = readMachine();
  const node = `Node ${process.versions.node}`;
  console.log(`${cores} cores (${processor}), ${kernel}, ${node}, load ${load.toFixed(1)} at the start\n`);
  if (isBusy()) console.log("The machine is busy with something else: expect noise.\n");
  console.log("Only the ratios within one run count: the figures themselves change from machine to machine.\n");
  await buildPrograms();
  const verdicts: Verdict[] = [];
  for (const question of questions) verdicts.push(...(await ask(question, effort, isRecorded)));
  if (verdicts.length > 0) console.log(`## What was aimed at\n\n${formatVerdicts(verdicts)}\n`);
}

/** One question that can't be asked here doesn't keep the others from being asked. */
async function ask(question: Question, effort: Effort, isRecorded: boolean): Promise<readonly Verdict[]> {
  const startMs = performance.now();
  const when = { date: new Date(), machine: readMachine() };
  console.log(`## ${question.title}\n`);
  try {
    requireOpenFiles(question.connections(effort));
    const answer = await question.run(effort);
    const { header, rows, notes, verdicts = [] } = answer;
    showProgress("");
    if (isRecorded) {
      const versions = { nodeVersion: process.versions.node, redisVersion: await redisVersion() };
      const record = recordOf(question, effort, answer, { ...when, ...versions });
      writeRecord(record);
      publish(record);
    }
    const seconds = Math.round((performance.now() - startMs) / 1000);
    console.log(`${formatTable(header, rows)}\n\n${notes.map((note) => `- ${note}`).join("\n")}\n\n(${seconds} s)\n`);
    return verdicts;
  } catch (error) {
    showProgress("");
    console.log(`${question.name} ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    return [];
  } finally {
    await stopLeftBehind();
  }
}

async function redisVersion(): Promise<string> {
  const redis = await RedisProcess.start();
  const version = await redis.version();
  await redis.stop();
  return version;
}

/** One line that is written over, where there is a terminal. */
function showProgress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${step}`);
}

await main();
// What a question that failed has left open, a connection that looks for its Redis for one, keeps nobody waiting.
process.exit();
