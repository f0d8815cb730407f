import { parseArgs } from "node:util";
import { describeMachine, isBusy, requireOpenFiles } from "./machine.ts";
import type { Effort, Question } from "./question.ts";
import { acrossServers } from "./questions/across-servers.ts";
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
import { webApp } from "./questions/web-app.ts";
import { buildPrograms } from "./server-process.ts";
import { formatTable } from "./table.ts";
import { formatVerdicts, type Verdict } from "./verdict.ts";

const QUESTIONS: readonly Question[] = [
  fanOut,
  burst,
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
  cluster,
  costs,
  webApp,
];

const USAGE = `npm run bench -- [${QUESTIONS.map(({ name }) => name).join("] [")}] [--long] [--live N] [--record] [--profile]

  Without a name, all are asked.
  --long     more rounds and more clients
  --live N   for expiry-lag, heartbeats, cluster and costs: so many clients live, say 1000000
  --record   for expiry-lag: writes the figures that its chart is drawn of to images/data
  --profile  writes a processor profile of each server (*.cpuprofile) to bench/dist/profiles`;

/** Asks the questions named on the command line and prints a table each. */
async function main(): Promise<void> {
  const options = {
    long: { type: "boolean" },
    live: { type: "string" },
    record: { type: "boolean" },
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
  const effort: Effort = {
    isLong: values.long === true,
    live,
    isRecorded: values.record === true,
    nodeArgs: values.profile ? ["--cpu-prof", "--cpu-prof-dir=bench/dist/profiles"] : [],
    onProgress: showProgress,
  };

  console.log(`${describeMachine()}\n`);
  if (isBusy()) console.log("The machine is busy with something else: expect noise.\n");
  console.log("Only the ratios within one run count: the figures themselves change from machine to machine.\n");
  await buildPrograms();
  const verdicts: Verdict[] = [];
  for (const question of asked) verdicts.push(...(await ask(question, effort)));
  if (verdicts.length > 0) console.log(`## What was aimed at\n\n${formatVerdicts(verdicts)}\n`);
}

/** One question that can't be asked here doesn't keep the others from being asked. */
async function ask(question: Question, effort: Effort): Promise<readonly Verdict[]> {
  const startMs = performance.now();
  console.log(`## ${question.title}\n`);
  try {
    requireOpenFiles(question.connections(effort));
    const { header, rows, notes, verdicts = [] } = await question.run(effort);
    showProgress("");
    const seconds = Math.round((performance.now() - startMs) / 1000);
    console.log(`${formatTable(header, rows)}\n\n${notes.map((note) => `- ${note}`).join("\n")}\n\n(${seconds} s)\n`);
    return verdicts;
  } catch (error) {
    showProgress("");
    console.log(`${question.name} ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    return [];
  }
}

/** One line that is written over, where there is a terminal. */
function showProgress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${step}`);
}

await main();
