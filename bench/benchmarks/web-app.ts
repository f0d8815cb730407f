import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { defineBenchmark } from "../benchmark.ts";
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
  isOurs: boolean;
  measure(): Promise<Record<Figure, number>>;
}

/** Bring the page into the states that are measured. */
const STATES: readonly [name: string, enter: (browser: AppBrowser) => Promise<void>][] = [
  ["the app after it opens", (browser) => browser.leaveList().then(() => browser.scrollTo(0))],
  ["scrolled to online contacts", (browser) => browser.scrollTo(0.25)],
  ["pointer over online contacts", (browser) => browser.hoverList()],
];

export const webApp = defineBenchmark<Figure, Scene>({
  name: "web-app",
  title: `The web app with ${formatNumber(CONTACTS)} contacts and ${CHANGES_PER_SECOND} changes a second`,
  connections: 10,
  rounds: { usual: 3, long: 7 },
  async setUp(run) {
    const tracedMs = run.scaled(TRACED_MS);
    const browser = await AppBrowser.launch();
    onScopeEnd(() => browser.close());
    const redis = await RedisProcess.start();
    const env = redis.env(HEARTBEAT_INTERVAL_MS);
    const server = await startServer({ ...OURS, args: ["--contacts", String(CONTACTS)], env });
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
    run.effort.onProgress("a blank page");
    const blank = await trace();
    run.effort.onProgress("starting the load");
    await browser.open(`http://127.0.0.1:${server.port}`, CLIENT);
    const clients = [...(await statusesAt(server.port)).keys()];
    await load("visits", redis.url, clients, CHANGES_PER_SECOND, HEARTBEAT_INTERVAL_MS);
    await sleep(WARM_UP_MS);
    run.conclude = async () => {
      await browser.leaveList();
      await load("stay");
      await untilQuiet([reader], QUIET_MS);
      const truth = await statusesAt(server.port);
      const right = await countRight(browser, truth);
      const { gzipBytes } = await measureFirstLoad(WEB_APP);
      const version = `Chromium ${browser.version}`;
      run.programs.push(version);
      run.notes.push(
        `${version}, headless. The browser, server, trigger host, Redis and load generator share the machine.`,
        `After the load had stopped, ${formatNumber(right)} of ${formatNumber(truth.size)} badges and both counts agreed with the server.`,
      );
      run.targets.push(
        exactly(CONTACTS, "web app: correct badges after the load", right),
        atMost(FIRST_LOAD_LIMIT_BYTES / 1_000, "web app: scripts of the first load, gzip", gzipBytes / 1_000, "kB"),
      );
    };
    const scenes = STATES.map(([name, enter]) => ({ name, isOurs: true, measure: () => enter(browser).then(trace) }));
    return [{ name: "a blank page", isOurs: false, measure: async () => blank }, ...scenes];
  },
  measure: (_, scene) => scene.measure(),
  report([blank, ...ours]) {
    const frames = Math.min(...ours.map((sample) => sample.median("framesPerSecond")));
    const busy = Math.max(...ours.map((sample) => sample.median("busyPercent")));
    const bar = ours.at(-1)?.name ?? "";
    const rounds = `Medians of rounds of ${blank.median("tracedS")} s.`;
    const percent = (name: string, figure: Figure) =>
      [name, (sample: typeof blank) => formatWithUnit(sample.median(figure), "%")] as const;
    return {
      names: "page",
      columns: [
        ["changes/s", "changesPerSecond"],
        ["frames/s", "framesPerSecond"],
        percent("dropped", "droppedPercent"),
        percent("main thread busy", "busyPercent"),
        percent("on a processor", "processorPercent"),
        ["longest task ms", "longestTaskMs"],
      ],
      notes: [
        `Busy is wall time, including time spent waiting for a processor. ${rounds}`,
        "A small mark moves on each page, so that every frame has something to show. The compositor moves it; the app renders less often.",
      ],
      targets: [
        atLeast(TARGET_FRAMES, "web app: lowest frames/s", frames, "", {
          bar,
          figure: "framesPerSecond",
          label: `target: at least ${TARGET_FRAMES}`,
        }),
        atMost(TARGET_BUSY_PERCENT, "web app: busiest main thread", busy, "%", {
          bar,
          figure: "busyPercent",
          label: `target: at most ${TARGET_BUSY_PERCENT} %`,
        }),
      ],
      chart: {
        caption: rounds,
        panels: [
          { measure: "frames per second", better: "more", figure: "framesPerSecond" },
          { measure: "main thread busy", unit: "%", better: "less", figure: "busyPercent" },
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
