import { formatNumber } from "../table.ts";
import type { Bar, Chart, Panel, Target } from "./chart.ts";
import { type Scale, scaleOf } from "./scale.ts";
import { escapeXml, widthOf, wrap } from "./text.ts";

/** In units of its own: on a page it is as wide as there is room, and at most so many pixels. */
const WIDTH = 560;
const MOST_PIXELS = 700;
const LEFT = 22;
const RIGHT = WIDTH - LEFT;
const ROOM = RIGHT - LEFT;
const BAR_HEIGHT = 13;
/** Where the thin line runs, below a bar. */
const SPREAD_HEIGHT = 8;
const TEXT_GAP = 14;
/** Between a mark and its label. */
const LABEL_GAP = 5;

/** How much wider semi-bold letters are. */
const BOLD = 1.08;

/** Sizes and line heights of each kind of text. */
const TEXTS = {
  title: { size: 19, line: 25 },
  measure: { size: 13.5, line: 18 },
  name: { size: 14.5, line: 19 },
  figure: { size: 14.5, line: 19 },
  note: { size: 13, line: 19 },
  target: { size: 12.5, line: 17 },
  tick: { size: 12, line: 16 },
  source: { size: 12, line: 16 },
} as const;

type TextKind = keyof typeof TEXTS;
/** Of a mark. */
type Side = "right" | "left" | "below";
type Anchor = "start" | "middle" | "end";

/** A card of its own, so that it reads on any page; dark where the reader's system is. */
const STYLE = `
    svg { --card: #f6f7fa; --edge: #d9dce4; --track: #fff; --grid: #dfe2ea; --ink: #22262f; --soft: #565d6b; --ours: #4a55c7; --peer: #9aa1b1; --aim: #b9541f; }
    @media (prefers-color-scheme: dark) {
      svg { --card: #171a21; --edge: #343945; --track: #22262f; --grid: #3a404d; --ink: #eceef3; --soft: #a9b0be; --ours: #8f98f5; --peer: #6c7485; --aim: #f0935c; }
    }
    text { fill: var(--ink); font-family: system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
${Object.entries(TEXTS)
  .map(([kind, { size }]) => `    .${kind} { font-size: ${size}px; }`)
  .join("\n")}
    .title, .figure { font-weight: 600; }
    .measure, .note, .tick, .source { fill: var(--soft); }
    .name.ours, .figure.ours { fill: var(--ours); font-weight: 600; }
    .target { fill: var(--aim); stroke: var(--card); stroke-width: 4px; paint-order: stroke; }
    .card { fill: var(--card); stroke: var(--edge); stroke-width: 1.5; }
    .track { fill: var(--track); }
    .grid { stroke: var(--grid); }
    .bar { fill: var(--peer); }
    .bar.ours { fill: var(--ours); }
    .spread { fill: none; stroke: var(--ink); stroke-width: 1.5; }
    .aim { stroke: var(--aim); stroke-width: 2; stroke-dasharray: 3 2; }`;

/**
 * The chart as an SVG image that needs nothing else.
 *
 * @param source where its figures are from: when, of which machine, and of what on it
 */
export function drawChart({ title, panels, caption }: Chart, source: string): string {
  const sheet = new Sheet();
  sheet.paragraph("title", title);
  for (const panel of panels) drawPanel(sheet, panel);
  sheet.space(10);
  sheet.paragraph("source", caption);
  sheet.space(4);
  sheet.paragraph("source", source);
  return sheet.toSvg(title, panels.map(describePanel).join(" "));
}

/** What a panel shows, in words. */
export function describePanel({ measure, unit, bars }: Panel): string {
  const figures = bars.map(
    ({ name, value, note }) => `${name} ${formatFigure(value, unit)}${note ? ` (${note})` : ""}`,
  );
  return `${measure[0]?.toUpperCase()}${measure.slice(1)}: ${figures.join("; ")}.`;
}

function drawPanel(sheet: Sheet, panel: Panel): void {
  const { measure, better, isLogarithmic = false, unit, bars } = panel;
  const figures = bars.flatMap(({ value, spread, targets = [] }) => [
    value,
    ...(spread ? [spread.least, spread.most] : []),
    ...targets.map((target) => target.value),
  ]);
  const scale = scaleOf(figures, isLogarithmic);
  sheet.space(9);
  sheet.paragraph("measure", `${measure}${isLogarithmic ? ", on a logarithmic scale" : ""}: ${better} is better`);
  for (const bar of bars) {
    sheet.space(7);
    drawHeading(sheet, bar, unit);
    drawBar(
      sheet,
      bar,
      scale,
      bars.some(({ spread }) => spread),
    );
  }
  drawTicks(sheet, scale, unit);
}

/** The name to the left, what it reached to the right. */
function drawHeading(sheet: Sheet, { name, isOurs, value, note }: Bar, unit: string | undefined): void {
  const figure = formatFigure(value, unit);
  const figureWidth = widthOf(figure, TEXTS.figure.size) * BOLD;
  const noteWidth = note ? widthOf(note, TEXTS.note.size) + TEXT_GAP : 0;
  const room = ROOM - figureWidth - noteWidth - TEXT_GAP;
  const lines = wrap(name, isOurs ? room / BOLD : room, TEXTS.name.size);
  for (const [index, line] of lines.entries()) {
    sheet.space(TEXTS.name.line);
    sheet.text("name", LEFT, line, "start", isOurs);
    if (index > 0) continue;
    sheet.text("figure", RIGHT, figure, "end", isOurs);
    if (note) sheet.text("note", RIGHT - figureWidth - TEXT_GAP, note, "end");
  }
  sheet.space(5);
}

function drawBar(sheet: Sheet, { isOurs, value, spread, targets = [] }: Bar, scale: Scale, hasSpreads: boolean): void {
  const top = sheet.y;
  const height = BAR_HEIGHT + (hasSpreads ? SPREAD_HEIGHT : 0);
  sheet.add(`<rect class="track" x="${LEFT}" y="${at(top)}" width="${ROOM}" height="${height}" rx="3"/>`);
  for (const tick of scale.ticks) {
    sheet.add(`<path class="grid" d="M${at(xOf(tick, scale))} ${at(top)}v${height}"/>`);
  }
  const width = xOf(value, scale) - LEFT;
  const kind = isOurs ? "bar ours" : "bar";
  sheet.add(`<rect class="${kind}" x="${LEFT}" y="${at(top)}" width="${at(width)}" height="${BAR_HEIGHT}" rx="2"/>`);
  if (spread) {
    const [from, to] = [xOf(spread.least, scale), xOf(spread.most, scale)];
    const middle = top + BAR_HEIGHT + SPREAD_HEIGHT / 2;
    const ends = `M${at(from)} ${at(middle - 2.5)}v5M${at(to)} ${at(middle - 2.5)}v5`;
    sheet.add(`<path class="spread" d="M${at(from)} ${at(middle)}H${at(to)}${ends}"/>`);
  }
  sheet.space(height);
  drawTargets(sheet, targets, scale, top);
}

/** Each on a line of its own below the bar, in such an order that marks run past the labels of others. */
function drawTargets(sheet: Sheet, targets: readonly Target[], scale: Scale, top: number): void {
  const placed = targets.map(({ value, label }) => placeLabel(label, xOf(value, scale)));
  const rightwards = placed.filter(({ side }) => side === "right").sort((one, other) => other.x - one.x);
  const others = placed.filter(({ side }) => side !== "right").sort((one, other) => one.x - other.x);
  const inOrder = [...rightwards, ...others].map((each, index) => ({
    ...each,
    baseline: sheet.y + (index + 1) * TEXTS.target.line,
  }));
  for (const { x, side, baseline } of inOrder) {
    const bottom = side === "below" ? baseline - TEXTS.target.size : baseline;
    sheet.add(`<path class="aim" d="M${at(x)} ${at(top)}V${at(bottom)}"/>`);
  }
  for (const { label, labelX, side } of inOrder) {
    sheet.space(TEXTS.target.line);
    sheet.text("target", labelX, label, side === "right" ? "start" : "end");
  }
}

/** To the right of its mark, or to the left, or below it where neither has room. */
function placeLabel(label: string, x: number): { label: string; x: number; labelX: number; side: Side } {
  const width = widthOf(label, TEXTS.target.size);
  if (x + LABEL_GAP + width <= RIGHT) return { label, x, labelX: x + LABEL_GAP, side: "right" };
  if (x - LABEL_GAP - width >= LEFT) return { label, x, labelX: x - LABEL_GAP, side: "left" };
  return { label, x, labelX: RIGHT, side: "below" };
}

function drawTicks(sheet: Sheet, scale: Scale, unit: string | undefined): void {
  sheet.space(TEXTS.tick.line);
  let freeFrom = 0;
  for (const tick of scale.ticks) {
    const label = formatFigure(tick, unit);
    const width = widthOf(label, TEXTS.tick.size);
    const x = Math.min(Math.max(xOf(tick, scale), LEFT + width / 2), RIGHT - width / 2);
    if (x - width / 2 < freeFrom) continue;
    sheet.text("tick", x, label, "middle");
    freeFrom = x + width / 2 + TEXT_GAP;
  }
}

function xOf(value: number, scale: Scale): number {
  return LEFT + scale.shareOf(value) * ROOM;
}

function formatFigure(value: number, unit = ""): string {
  return `${formatNumber(value)} ${unit}`.trim();
}

/** A coordinate. */
function at(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** A card that grows downwards. */
class Sheet {
  #y = 14;
  readonly #elements: string[] = [];

  get y(): number {
    return this.#y;
  }

  space(height: number): void {
    this.#y += height;
  }

  add(element: string): void {
    this.#elements.push(element);
  }

  text(kind: TextKind, x: number, text: string, anchor: Anchor, isOurs = false): void {
    const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
    const kinds = isOurs ? `${kind} ours` : kind;
    this.add(`<text class="${kinds}" x="${at(x)}" y="${at(this.#y)}"${anchored}>${escapeXml(text)}</text>`);
  }

  paragraph(kind: TextKind, text: string): void {
    const { size, line } = TEXTS[kind];
    for (const each of wrap(text, ROOM / (kind === "title" ? BOLD : 1), size)) {
      this.space(line);
      this.text(kind, LEFT, each, "start");
    }
  }

  toSvg(title: string, description: string): string {
    const height = Math.ceil(this.#y + 18);
    const pixels = Math.round((height * MOST_PIXELS) / WIDTH);
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${MOST_PIXELS}" height="${pixels}" role="img" aria-labelledby="title description">
  <title id="title">${escapeXml(title)}</title>
  <desc id="description">${escapeXml(description)}</desc>
  <style>${STYLE}
  </style>
  <rect class="card" x="1" y="1" width="${WIDTH - 2}" height="${height - 2}" rx="14"/>
  ${this.#elements.join("\n  ")}
</svg>
`;
  }
}
