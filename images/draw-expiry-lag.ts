import { readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { type BenchRecord, sourceOf } from "../bench/record/record.ts";

const PAGE = new URL("expiry-lag/expiry-lag.html", import.meta.url).href;
const DATA = new URL("data/expiry-lag.json", import.meta.url);

const WIDTH = 1600;
const PLOT = { left: 250, right: 1330, top: 150 };
const NEVER = { left: 1350, right: 1560 };
const BAND = { height: 170, gap: 22 };
const STRIP = { height: 62, top: 16, gap: 14 };
/** The axis is logarithmic, as what is compared lies three orders of magnitude apart; ms. */
const LEAST_MS = 0.5;
const TICKS = [
  [1, "1 ms"],
  [10, "10 ms"],
  [100, "100 ms"],
  [1_000, "1 s"],
  [10_000, "10 s"],
  [100_000, "100 s"],
] as const;

/** As `npm run bench -- expiry-lag --record` writes it. Lags in ms, in rising order. */
interface ExpiryLag {
  redis: string;
  dying: number;
  windowMs: number;
  series: { live: number; ours: number[]; expired: number[] }[];
}

/** The chart of how late the end of a lease is told, drawn from what was measured. */
export async function drawExpiryLag(browser: Browser, path: string): Promise<void> {
  const record = JSON.parse(await readFile(DATA, "utf8")) as BenchRecord & { data: ExpiryLag };
  const { data } = record;
  const height = PLOT.top + data.series.length * (BAND.height + BAND.gap) + 116;
  const page = await browser.newPage({ viewport: { width: WIDTH, height }, deviceScaleFactor: 1.5 });
  await page.goto(PAGE);
  await page.evaluate(
    (svg) => {
      document.body.innerHTML = svg;
    },
    chart(data, sourceOf(record), height),
  );
  await page.evaluate(() => document.fonts.ready);
  const png = await page.screenshot({ omitBackground: true });
  await sharp(png).png({ palette: true, effort: 10 }).toFile(path);
  await page.close();
}

function chart(data: ExpiryLag, source: string, height: number): string {
  const { windowMs, dying, redis, series } = data;
  const lastTop = PLOT.top + series.length * (BAND.height + BAND.gap);
  return `<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="How late the end of a lease is told">
    <rect class="card" x="1" y="1" width="${WIDTH - 2}" height="${height - 2}" rx="28" />
    <text class="title" x="40" y="62">How late is OFFLINE?</text>
    <text class="subtitle" x="40" y="96">${dying} clients die among many who live. Each dot is one of them, from its lease’s end to the news of it.</text>
    ${series.map((each, index) => band(data, each, PLOT.top + index * (BAND.height + BAND.gap))).join("\n")}
    ${TICKS.map(([ms, label]) => `<text class="tick" x="${xOf(ms, windowMs)}" y="${lastTop + 12}" text-anchor="${ms >= windowMs ? "end" : "middle"}">${ms > windowMs ? "" : label}</text>`).join("\n")}
    <text class="tick" x="${(NEVER.left + NEVER.right) / 2}" y="${lastTop + 12}" text-anchor="middle">not within ${windowMs / 1000} s</text>
    <text class="source" x="40" y="${lastTop + 58}">Redis ${redis}, the middle of several runs; the axis is logarithmic. The expired notification is of a plain key that ends with the lease, in the same Redis.</text>
    <text class="source" x="40" y="${lastTop + 84}">${source}</text>
  </svg>`;
}

function band(
  { dying, windowMs }: ExpiryLag,
  { live, expired, ours }: ExpiryLag["series"][number],
  top: number,
): string {
  const ticks = TICKS.filter(([ms]) => ms <= windowMs);
  const strips = [
    { name: "expired", modifier: "--expired", lags: expired, top: top + STRIP.top },
    { name: "this platform", modifier: "", lags: ours, top: top + STRIP.top + STRIP.height + STRIP.gap },
  ];
  return `<text class="live" x="40" y="${top + 38}">${live.toLocaleString("en")}</text>
    <text class="unit" x="40" y="${top + 64}">live</text>
    <rect class="band" x="${PLOT.left}" y="${top}" width="${PLOT.right - PLOT.left}" height="${BAND.height}" rx="14" />
    <rect class="band never" x="${NEVER.left}" y="${top}" width="${NEVER.right - NEVER.left}" height="${BAND.height}" rx="14" />
    ${ticks.map(([ms]) => `<path class="grid" d="M${xOf(ms, windowMs)} ${top} v${BAND.height}" />`).join("")}
    ${strips.map((strip) => drawStrip(strip, dying, windowMs)).join("\n")}`;
}

interface Strip {
  name: string;
  modifier: string;
  lags: readonly number[];
  top: number;
}

/** Dots from the top down in the order in which they were told. */
function drawStrip({ name, modifier, lags, top }: Strip, dying: number, windowMs: number): string {
  const middle = top + STRIP.height / 2;
  const dots = lags.map((lag, index) => {
    const y = top + ((index + 0.5) / dying) * STRIP.height;
    return `<circle class="dot dot${modifier}" cx="${xOf(lag, windowMs).toFixed(1)}" cy="${y.toFixed(1)}" r="5" />`;
  });
  const lost = dying - lags.length;
  return `<text class="told told${modifier}" x="${PLOT.left - 14}" y="${middle + 6}" text-anchor="end">${name}</text>
    ${dots.join("")}
    <text class="${lost > 0 ? "lost" : "tick"}" x="${(NEVER.left + NEVER.right) / 2}" y="${middle + 9}" text-anchor="middle">${lost > 0 ? `${lost} of ${dying}` : "none"}</text>`;
}

function xOf(ms: number, windowMs: number): number {
  const share = Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / Math.log((1.2 * windowMs) / LEAST_MS);
  return PLOT.left + 12 + share * (PLOT.right - PLOT.left - 24);
}
