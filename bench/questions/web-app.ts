import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AppBrowser, type Statuses } from "../browser/app-browser.ts";
import { FIRST_LOAD_LIMIT_BYTES, measureFirstLoad } from "../browser/first-load.ts";
import type { FrameFigures } from "../browser/frame-figures.ts";
import type { Chart, Panel, Target } from "../charts/chart.ts";
import { OURS } from "../contestants.ts";
import { untilQuiet } from "../load/crowd.ts";
import { RawStream } from "../load/raw-stream.ts";
import type { VisitsRequest } from "../load/visits.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { median } from "../statistics.ts";
import { formatNumber } from "../table.ts";
import { atLeast, atMost, type Verdict } from "../verdict.ts";

const CONTACTS = 5_000;
const CHANGES_PER_SECOND = 500;
const PERSON = "anouk";
/** So that a visit is two heartbeats and the lease after them, and half of a person's time. */
const HEARTBEAT_INTERVAL_MS = 4_000;
/** As it is built and served. */
const WEB_APP = fileURLToPath(new URL("../../apps/web/dist", import.meta.url));
/** By then the first who came have gone, and all is as it stays. */
const WARM_UP_MS = 13_000;
const TRACED_MS = 10_000;
/** Without a change for so long, the last lease has ended. */
const QUIET_MS = 2_000;
/** Of 60: one a second may be late. */
const LEAST_FRAMES_PER_SECOND = 59;
const MOST_BUSY = 0.5;

interface Scene {
  name: string;
  /** Brings the page there. */
  enter(browser: AppBrowser): Promise<void>;
}

const SCENES: readonly Scene[] = [
  {
    name: "the app as it opens",
    async enter(browser) {
      await browser.leaveList();
      await browser.scrollTo(0);
    },
  },
  { name: "scrolled into those who are online", enter: (browser) => browser.scrollTo(0.25) },
  { name: "with the pointer among them", enter: (browser) => browser.hoverList() },
];

type Figures = FrameFigures & { changesPerSecond: number };

/** What was measured of one page, in the middle of its rounds. */
interface Film {
  name: string;
  figures: Figures;
}

interface Outcome {
  /** Of how many contacts the app showed what is true in the end. */
  right: number;
  /** How many there are. */
  total: number;
  /** Of the first load's scripts. */
  gzipBytes: number;
}

export const webApp: Question = {
  name: "web-app",
  title: `The web app with ${formatNumber(CONTACTS)} contacts and ${CHANGES_PER_SECOND} changes a second`,
  connections: () => 10,
  run,
};

async function run({ isLong, nodeArgs, onProgress }: Effort): Promise<Answer> {
  const rounds = isLong ? 7 : 3;
  const browser = await AppBrowser.launch();
  const redis = await RedisProcess.start();
  const env = { REDIS_URL: redis.server.url, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
  const server = await startServerProcess({ ...OURS, args: ["--contacts", String(CONTACTS)], env }, nodeArgs);
  const reader = await RawStream.open(server.port, `/events/${PERSON}`);
  const visits = fork(fileURLToPath(new URL("../load/visits.ts", import.meta.url)));
  try {
    await untilQuiet([reader]);
    onProgress("a blank page");
    const blank = { name: "a blank page", figures: await film(browser, reader) };
    await browser.open(`http://127.0.0.1:${server.port}`, PERSON);
    onProgress("people begin to come and go");
    send(visits, {
      redisUrl: redis.server.url,
      clients: [...(await statusesOf(server)).keys()],
      changesPerSecond: CHANGES_PER_SECOND,
      heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    });
    await sleep(WARM_UP_MS);
    const filmed = SCENES.map((scene) => ({ scene, takes: [] as Figures[] }));
    for (let round = 0; round < rounds; round++) {
      for (const { scene, takes } of filmed) {
        onProgress(`round ${round + 1} of ${rounds}: ${scene.name}`);
        await scene.enter(browser);
        takes.push(await film(browser, reader));
      }
    }
    const films = filmed.map(({ scene: { name }, takes }) => ({ name, figures: medians(takes) }));

    onProgress("comparing every badge with the server");
    await browser.leaveList();
    send(visits, "stay");
    await untilQuiet([reader], QUIET_MS);
    const truth = await statusesOf(server);
    const right = await countRight(browser, truth);
    const { gzipBytes } = await measureFirstLoad(WEB_APP);
    return answer([blank, ...films], { right, total: truth.size, gzipBytes }, `Chromium ${browser.version}`);
  } finally {
    visits.disconnect();
    reader.close();
    await browser.close();
    await server.stop();
    await redis.stop();
  }
}

async function film(browser: AppBrowser, reader: RawStream): Promise<Figures> {
  let changes = 0;
  const figures = await browser.trace(async () => {
    reader.reset();
    await sleep(TRACED_MS);
    changes = reader.objects;
  });
  return { ...figures, changesPerSecond: (1_000 * changes) / TRACED_MS };
}

function medians(takes: readonly Figures[]): Figures {
  const of = (field: keyof Figures) => median(takes.map((take) => take[field]));
  return {
    changesPerSecond: of("changesPerSecond"),
    framesPerSecond: of("framesPerSecond"),
    droppedShare: of("droppedShare"),
    busyShare: of("busyShare"),
    processorShare: of("processorShare"),
    longestTaskMs: of("longestTaskMs"),
  };
}

function send(visits: ChildProcess, request: VisitsRequest): void {
  visits.send(request);
}

/** What the server says of the person's contacts. */
async function statusesOf({ port }: ServerProcess): Promise<Statuses> {
  const api = `http://127.0.0.1:${port}/api`;
  const session = await fetch(`${api}/sessions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client: PERSON }),
  });
  const { token } = (await session.json()) as { token: string };
  const list = await fetch(`${api}/contacts`, { headers: { Authorization: `Bearer ${token}` } });
  const { contacts } = (await list.json()) as { contacts: { client: string; status: string }[] };
  return new Map(contacts.map(({ client, status }) => [client, status]));
}

/** Of how many contacts the app shows what is true; none, where its counts are wrong. */
async function countRight(browser: AppBrowser, truth: Statuses): Promise<number> {
  const badges = await browser.badges();
  const online = [...truth.values()].filter((status) => status === "ONLINE").length;
  const areCountsRight =
    (await browser.count("Online")) === online && (await browser.count("Offline")) === truth.size - online;
  return areCountsRight ? [...truth].filter(([client, status]) => badges.get(client) === status).length : 0;
}

function answer(films: readonly Film[], outcome: Outcome, browserVersion: string): Answer {
  const badges = `${formatNumber(outcome.right)} of ${formatNumber(outcome.total)}`;
  return {
    header: ["page", "changes/s", "frames/s", "dropped", "main thread busy", "on a processor", "longest task ms"],
    rows: films.map(({ name, figures }) => [
      name,
      formatNumber(figures.changesPerSecond),
      formatNumber(figures.framesPerSecond),
      formatShare(figures.droppedShare),
      formatShare(figures.busyShare),
      formatShare(figures.processorShare),
      formatNumber(figures.longestTaskMs),
    ]),
    notes: [
      `${browserVersion}, headless; browser, server, trigger host, Redis and those who come and go share the machine. Busy is wall time: waiting for a processor counts. Medians of rounds of ${TRACED_MS / 1_000} s.`,
      "On each page a small mark moves all the while, so that every frame has something to show. The app renders less often than that; between, what moves is the compositor's.",
      `Afterwards nobody came or went any more, and ${badges} badges and both counts were as the server says.`,
    ],
    chart: chartOf(films, `${badges} badges are right afterwards.`),
    programs: [browserVersion],
    verdicts: verdictsOn(films.slice(1), outcome),
  };
}

function chartOf(films: readonly Film[], caption: string): Chart {
  const panel = (measure: string, better: Panel["better"], figureOf: (figures: Figures) => number, target: Target) => ({
    measure,
    better,
    bars: films.map(({ name, figures }, index) => ({
      name,
      isOurs: index > 0,
      value: figureOf(figures),
      ...(index === films.length - 1 && { targets: [target] }),
    })),
  });
  const frames = { value: LEAST_FRAMES_PER_SECOND, label: `aimed at: ${LEAST_FRAMES_PER_SECOND} or more` };
  const busy = { value: 100 * MOST_BUSY, label: `aimed at: less than ${formatShare(MOST_BUSY)}` };
  return {
    title: webApp.title,
    panels: [
      panel("frames per second", "more", ({ framesPerSecond }) => framesPerSecond, frames),
      { ...panel("main thread busy", "less", ({ busyShare }) => 100 * busyShare, busy), unit: "%" },
    ],
    caption: `Medians of rounds of ${TRACED_MS / 1_000} s. ${caption}`,
  };
}

/** Of the worst of the app's. */
function verdictsOn(ofApp: readonly Film[], { right, total, gzipBytes }: Outcome): Verdict[] {
  const frames = Math.min(...ofApp.map(({ figures }) => figures.framesPerSecond));
  const busy = Math.max(...ofApp.map(({ figures }) => figures.busyShare));
  return [
    atLeast(LEAST_FRAMES_PER_SECOND, "the web app's frames/s, at its worst", frames, ""),
    {
      what: "its main thread's busy time, at its worst",
      measured: formatShare(busy),
      target: `< ${formatShare(MOST_BUSY)}`,
      isReached: busy < MOST_BUSY,
    },
    {
      what: "its badges that tell the truth afterwards",
      measured: formatNumber(right),
      target: formatNumber(total),
      isReached: right === total && total === CONTACTS,
    },
    atMost(FIRST_LOAD_LIMIT_BYTES / 1_000, "scripts of its first load, by gzip", gzipBytes / 1_000, "kB"),
  ];
}

function formatShare(share: number): string {
  return `${formatNumber(100 * share)} %`;
}
