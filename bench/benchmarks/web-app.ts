import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { defineBenchmark, type PanelOf, type Target } from "../benchmark.ts";
import { AppBrowser, type Statuses } from "../browser/app-browser.ts";
import { FIRST_LOAD_LIMIT_BYTES, measureFirstLoad } from "../browser/first-load.ts";
import type { FrameFigures } from "../browser/frame-figures.ts";
import { RawStream } from "../load/raw-stream.ts";
import { startLoad } from "../load/start-load.ts";
import { openStreams, untilQuiet } from "../load/streams.ts";
import { formatNumber, formatWithUnit } from "../report/table.ts";
import { atLeast, atMost, exactly } from "../report/verdict.ts";
import { OURS } from "../setup/programs.ts";
import { RedisProcess } from "../setup/redis-process.ts";
import { onScopeEnd } from "../setup/scope.ts";
import { startServer } from "../setup/server-process.ts";

const CONTACTS = 5_000;
const CHANGES_PER_SECOND = 500;
const CLIENT = "anouk";
/** A visit is two heartbeats and the lease after them, and takes half of a client's time. */
const HEARTBEAT_INTERVAL_MS = 4_000;
/** The app as it is built and served. */
const WEB_APP = fileURLToPath(new URL("../../apps/web/dist", import.meta.url));
/** After the warm-up the first visits have ended, and the load is steady. */
const WARM_UP_MS = 13_000;
const TRACED_MS = 10_000;
/** Without a change for this long, the last lease has ended. */
const QUIET_MS = 2_000;
/** Of 60, one frame a second may be late. */
const TARGET_FRAMES = 59;
const TARGET_BUSY_PERCENT = 50;

type Figure = keyof FrameFigures | "changesPerSecond" | "tracedS";

interface Scene {
  name: string;
  /** Brings the page into the state that is measured. */
  enter(browser: AppBrowser): Promise<void>;
}

const SCENES: readonly Scene[] = [
  {
    name: "the app after it opens",
    async enter(browser) {
      await browser.leaveList();
      await browser.scrollTo(0);
    },
  },
  { name: "scrolled to online contacts", enter: (browser) => browser.scrollTo(0.25) },
  { name: "pointer over online contacts", enter: (browser) => browser.hoverList() },
];

export const webApp = defineBenchmark<Figure>({
  name: "web-app",
  title: `The web app with ${formatNumber(CONTACTS)} contacts and ${CHANGES_PER_SECOND} changes a second`,
  connections: 10,
  rounds: { usual: 3, long: 7 },
  async setUp(effort) {
    const tracedMs = effort.scaled(TRACED_MS);
    const browser = await AppBrowser.launch();
    onScopeEnd(() => browser.close());
    const redis = await RedisProcess.start();
    const env = { REDIS_URL: redis.url, HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS) };
    const server = await startServer({ ...OURS, args: ["--contacts", String(CONTACTS)], env }, effort.nodeArgs);
    const [reader] = await openStreams(1, () => RawStream.open(server.port, `/events/${CLIENT}`));
    if (!reader) throw new Error("has no reader.");
    const load = startLoad();
    const trace = async () => {
      let changes = 0;
      const figures = await browser.trace(async () => {
        reader.reset();
        await sleep(tracedMs);
        changes = reader.objects;
      });
      return { ...figures, changesPerSecond: (1_000 * changes) / tracedMs, tracedS: tracedMs / 1_000 };
    };
    await untilQuiet([reader]);
    effort.onProgress("a blank page");
    const blank = await trace();
    effort.onProgress("starting the load");
    await browser.open(`http://127.0.0.1:${server.port}`, CLIENT);
    await load({
      kind: "visits",
      redisUrl: redis.url,
      clients: [...(await statusesAt(server.port)).keys()],
      changesPerSecond: CHANGES_PER_SECOND,
      heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    });
    await sleep(WARM_UP_MS);
    return {
      peers: [
        { name: "a blank page", measure: async () => blank },
        ...SCENES.map(({ name, enter }) => ({
          name,
          isOurs: true,
          async measure() {
            await enter(browser);
            return trace();
          },
        })),
      ],
      async conclude() {
        await browser.leaveList();
        await load({ kind: "stay" });
        await untilQuiet([reader], QUIET_MS);
        const truth = await statusesAt(server.port);
        const right = await countRight(browser, truth);
        const { gzipBytes } = await measureFirstLoad(WEB_APP);
        const version = `Chromium ${browser.version}`;
        return {
          programs: [version],
          notes: [
            `${version}, headless. The browser, server, trigger host, Redis and load generator share the machine.`,
            `After the load had stopped, ${formatNumber(right)} of ${formatNumber(truth.size)} badges and both counts agreed with the server.`,
          ],
          targets: [
            exactly(CONTACTS, "web app: correct badges after the load", right),
            atMost(FIRST_LOAD_LIMIT_BYTES / 1_000, "web app: scripts of the first load, gzip", gzipBytes / 1_000, "kB"),
          ],
        };
      },
    };
  },
  report(samples) {
    const ours = samples.filter(({ isOurs }) => isOurs);
    const frames = Math.min(...ours.map((sample) => sample.median("framesPerSecond")));
    const busy = Math.max(...ours.map((sample) => sample.median("busyPercent")));
    const mark = { bar: ours.at(-1)?.name ?? "" };
    const rounds = `Medians of rounds of ${samples[0]?.median("tracedS")} s.`;
    const percent = (figure: "droppedPercent" | "busyPercent" | "processorPercent", name: string) =>
      [name, (sample: (typeof samples)[number]) => formatWithUnit(sample.median(figure), "%")] as const;
    const panel = (measure: string, better: "more" | "less", figure: Figure): PanelOf<Figure> => ({
      measure,
      better,
      figure,
    });
    const targets: Target[] = [
      {
        ...atLeast(TARGET_FRAMES, "web app: lowest frames/s", frames, ""),
        mark: { ...mark, figure: "framesPerSecond", value: TARGET_FRAMES, label: `target: at least ${TARGET_FRAMES}` },
      },
      {
        ...atMost(TARGET_BUSY_PERCENT, "web app: busiest main thread", busy, "%"),
        mark: {
          ...mark,
          figure: "busyPercent",
          value: TARGET_BUSY_PERCENT,
          label: `target: at most ${TARGET_BUSY_PERCENT} %`,
        },
      },
    ];
    return {
      names: "page",
      columns: [
        ["changes/s", (sample) => sample.median("changesPerSecond")],
        ["frames/s", (sample) => sample.median("framesPerSecond")],
        percent("droppedPercent", "dropped"),
        percent("busyPercent", "main thread busy"),
        percent("processorPercent", "on a processor"),
        ["longest task ms", (sample) => sample.median("longestTaskMs")],
      ],
      notes: [
        `Busy is wall time, including time spent waiting for a processor. ${rounds}`,
        "A small mark moves on each page, so that every frame has something to show. The compositor moves it; the app renders less often.",
      ],
      targets,
      chart: {
        caption: rounds,
        panels: [
          panel("frames per second", "more", "framesPerSecond"),
          { ...panel("main thread busy", "less", "busyPercent"), unit: "%" },
        ],
      },
    };
  },
});

/** The status of each contact at the server. */
async function statusesAt(port: number): Promise<Statuses> {
  const api = `http://127.0.0.1:${port}/api`;
  const session = await fetch(`${api}/sessions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client: CLIENT }),
  });
  const { token } = (await session.json()) as { token: string };
  const list = await fetch(`${api}/contacts`, { headers: { Authorization: `Bearer ${token}` } });
  const { contacts } = (await list.json()) as { contacts: { client: string; status: string }[] };
  return new Map(contacts.map(({ client, status }) => [client, status]));
}

/** How many contacts have the right badge; 0 if a count is wrong. */
async function countRight(browser: AppBrowser, truth: Statuses): Promise<number> {
  const badges = await browser.badges();
  const online = [...truth.values()].filter((status) => status === "ONLINE").length;
  const areCountsRight =
    (await browser.count("Online")) === online && (await browser.count("Offline")) === truth.size - online;
  return areCountsRight ? [...truth].filter(([client, status]) => badges.get(client) === status).length : 0;
}
