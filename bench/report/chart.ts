import { axisX, dot, type Markish, plot, rect, ruleX, ruleY, text } from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { formatWithUnit } from "./table.ts";

/** What a benchmark draws: panels of horizontal bars or dots, our server beside its peers. */
export interface Chart {
  title: string;
  panels: readonly Panel[];
  caption: string;
}

/** Rows that share one scale. */
export interface Panel {
  /** `deliveries per second` */
  measure: string;
  /** Follows each figure: `ms`. */
  unit?: string;
  better: "more" | "less";
  isLogarithmic?: boolean;
  /** Ends of the scale. Default: from 0, or on a logarithmic scale from a power of ten, to the largest value. */
  domain?: readonly [number, number];
  bars: readonly Bar[];
}

/** One row: a bar, or a dot for each of its `dots`. */
export interface Bar {
  name: string;
  isOurs: boolean;
  value: number;
  /** Drawn as a thin line with two ends. */
  spread?: { least: number; most: number };
  dots?: readonly number[];
  /** A short text beside the figure: `ours is 23 ×`. */
  note?: string;
  targets?: readonly Mark[];
}

/** A target, drawn as a dashed line with a label. */
export interface Mark {
  value: number;
  label: string;
}

const WIDTH = 640;
const MARGIN = 24;
/** The figure has a column of its own, so that no text has to be measured. */
const FIGURE_WIDTH = 92;
const BAR_HEIGHT = 14;
const DOTS_HEIGHT = 44;
const NAME_LINE = 20;
const TARGET_LINE = 17;
const AXIS_HEIGHT = 22;
const ROW_GAP = 9;
const PANEL_GAP = 14;
/** The average in labels and small text. */
const LETTER_WIDTH = 7;
/** A tick label near the end of the scale would leave the card. */
const LAST_TICK = 0.96;
const HEADROOM = 1.05;
const MAX_TICKS = 6;

/** Line heights, and how many letters fit into a line of the widest common system font. */
const TITLE = { kind: "title", line: 26, letters: 52 };
const SMALL = { kind: "small", line: 17, letters: 86 };

/** The card is dark where the reader's system is. */
const STYLE = `
    svg { --card: #f6f7fa; --edge: #d9dce4; --track: #fff; --ink: #22262f; --soft: #565d6b; --ours: #4a55c7; --peer: #9aa1b1; --target: #b9541f; color: var(--ink); }
    @media (prefers-color-scheme: dark) {
      svg { --card: #171a21; --edge: #343945; --track: #22262f; --ink: #eceef3; --soft: #a9b0be; --ours: #8f98f5; --peer: #6c7485; --target: #f0935c; }
    }
    text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
    .title { font-size: 19px; font-weight: 600; fill: var(--ink); }
    .small { font-size: 12.5px; fill: var(--soft); }
    .card { fill: var(--card); stroke: var(--edge); stroke-width: 1.5; }`;

const { document } = parseHTML("<html></html>");

/**
 * Draws a chart as an SVG image that loads nothing.
 *
 * @param source says when, where and how the figures were measured
 */
export function drawChart({ title, panels, caption }: Chart, source: string): string {
  const parts: string[] = [];
  let y = MARGIN;
  const write = (words: string, { kind, line, letters }: typeof TITLE) => {
    for (const each of wrap(words, letters)) {
      y += line;
      parts.push(`<text class="${kind}" x="${MARGIN}" y="${y - 6}">${escapeXml(each)}</text>`);
    }
  };
  write(title, TITLE);
  for (const panel of panels) {
    y += PANEL_GAP;
    write(headingOf(panel), SMALL);
    const { svg, height } = drawPanel(panel);
    parts.push(svg.replace("<svg", `<svg y="${y}"`));
    y += height;
  }
  y += PANEL_GAP;
  write(caption, SMALL);
  write(source, SMALL);
  const height = y + MARGIN - 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">
  <title id="title">${escapeXml(title)}</title>
  <desc id="description">${escapeXml(panels.map(describePanel).join(" "))}</desc>
  <style>${STYLE}
  </style>
  <rect class="card" x="1" y="1" width="${WIDTH - 2}" height="${height - 2}" rx="14"/>
  ${parts.join("\n  ")}
</svg>
`;
}

/** The figures of a panel in words, for readers who do not see the image. */
export function describePanel({ measure, unit, bars }: Panel): string {
  const figures = bars.map(({ name, value, note }) =>
    [name, formatWithUnit(value, unit), ...(note ? [`(${note})`] : [])].join(" "),
  );
  return `${measure.charAt(0).toUpperCase()}${measure.slice(1)}: ${figures.join("; ")}.`;
}

function headingOf({ measure, better, isLogarithmic }: Panel): string {
  return `${measure}${isLogarithmic ? ", logarithmic scale" : ""}: ${better} is better`;
}

/** Where values lie along a row. */
interface Scale {
  start: number;
  end: number;
  /** @returns from 0 to 1 */
  shareOf(value: number): number;
  ticks: readonly number[];
}

interface Row {
  bar: Bar;
  top: number;
  middle: number;
  bottom: number;
}

function drawPanel(panel: Panel): { svg: string; height: number } {
  const { unit, bars, isLogarithmic = false } = panel;
  const scale = scaleOf(panel);
  const { start, end } = scale;
  const rows: Row[] = [];
  let y = 0;
  for (const bar of bars) {
    const top = y + ROW_GAP + NAME_LINE;
    const height = bar.dots ? DOTS_HEIGHT : BAR_HEIGHT;
    rows.push({ bar, top, middle: top + height / 2, bottom: top + height });
    y = top + height + TARGET_LINE * (bar.targets?.length ?? 0);
  }
  const height = y + AXIS_HEIGHT;
  const marks: Markish[] = rows.flatMap((row) => drawRow(row, unit, scale));
  const svg = plot({
    document,
    width: WIDTH,
    height,
    marginTop: 0,
    marginBottom: AXIS_HEIGHT,
    marginLeft: MARGIN,
    marginRight: MARGIN,
    x: { type: isLogarithmic ? "log" : "linear", domain: [start, end], clamp: true },
    y: { type: "identity", axis: null },
    marks: [
      ...rows.map(({ top, bottom }) => rect([0], { x1: start, x2: end, y1: top, y2: bottom, fill: "var(--track)" })),
      ...marks,
      axisX({
        ticks: scale.ticks,
        tickSize: 0,
        tickFormat: (tick: number) => formatWithUnit(tick, unit),
        label: null,
        fontSize: 12,
        fill: "var(--soft)",
      }),
    ],
  });
  svg.querySelector("style")?.remove();
  return { svg: svg.outerHTML, height };
}

/** The name stands above the bar on the left; the note and the figure stand above it on the right. */
function drawRow({ bar, top, middle, bottom }: Row, unit: string | undefined, scale: Scale): Markish[] {
  const { name, isOurs, value, spread, dots, note, targets = [] } = bar;
  const color = isOurs ? "var(--ours)" : "var(--peer)";
  const ink = isOurs ? "var(--ours)" : "var(--ink)";
  const fontWeight = isOurs ? 600 : 400;
  const label = { y: () => top - 9, fontSize: 14, fill: ink, fontWeight };
  const line = { stroke: "var(--ink)", strokeWidth: 1.5 };
  return [
    ...(dots
      ? [
          dot(dots, {
            x: (ms: number) => ms,
            y: (_: number, index: number) => top + 5 + ((bottom - top - 10) * (index + 0.5)) / dots.length,
            r: 3.5,
            fill: color,
            fillOpacity: 0.6,
          }),
        ]
      : [rect([value], { x1: scale.start, x2: value, y1: top, y2: bottom, fill: color })]),
    ruleX(scale.ticks, { y1: top, y2: bottom, stroke: "var(--ink)", strokeOpacity: 0.12 }),
    ...(spread
      ? [
          ruleY([middle], { x1: spread.least, x2: spread.most, ...line }),
          ruleX([spread.least, spread.most], { y1: middle - 3.5, y2: middle + 3.5, ...line }),
        ]
      : []),
    text([name], { ...label, frameAnchor: "left", textAnchor: "start" }),
    text([formatWithUnit(value, unit)], { ...label, fontWeight: 600, frameAnchor: "right", textAnchor: "end" }),
    text(note ? [note] : [], {
      ...label,
      dx: -FIGURE_WIDTH,
      fontSize: 12.5,
      fontWeight: 400,
      fill: "var(--soft)",
      frameAnchor: "right",
      textAnchor: "end",
    }),
    ...targets.toSorted((one, other) => other.value - one.value).flatMap((target, index) => drawTarget(target, index)),
  ];

  /** Labels stand below the bar, each in a line of its own. */
  function drawTarget({ value: at, label: words }: Mark, index: number): Markish[] {
    const y = bottom + TARGET_LINE * (index + 0.5);
    const room = (1 - scale.shareOf(at)) * (WIDTH - 2 * MARGIN);
    const isLeft = words.length * LETTER_WIDTH > room;
    return [
      ruleX([at], { y1: top - 2, y2: y + 5, stroke: "var(--target)", strokeWidth: 2, strokeDasharray: "3 2" }),
      text([words], {
        x: at,
        y: () => y,
        dx: isLeft ? -6 : 6,
        fontSize: 12.5,
        fill: "var(--target)",
        textAnchor: isLeft ? "end" : "start",
      }),
    ];
  }
}

function scaleOf({ bars, domain, isLogarithmic }: Panel): Scale {
  const values = bars.flatMap(({ value, spread, targets = [] }) => [
    value,
    ...(spread ? [spread.least, spread.most] : []),
    ...targets.map((target) => target.value),
  ]);
  const [start, end] = domain ?? [
    isLogarithmic ? 10 ** Math.floor(Math.log10(Math.min(...values))) : 0,
    Math.max(...values) * HEADROOM,
  ];
  const shareOf = isLogarithmic
    ? (value: number) => Math.log(value / start) / Math.log(end / start)
    : (value: number) => (value - start) / (end - start);
  const ticks = isLogarithmic ? powersOfTen(start, end) : roundTicks(start, end);
  return { start, end, shareOf, ticks: ticks.filter((tick) => shareOf(tick) < LAST_TICK) };
}

function roundTicks(start: number, end: number): number[] {
  const least = (end - start) / MAX_TICKS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
  const first = Math.ceil(start / step);
  return Array.from({ length: Math.floor(end / step) - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

function powersOfTen(start: number, end: number): number[] {
  const first = Math.ceil(Math.log10(start));
  return Array.from({ length: Math.floor(Math.log10(end)) - first + 1 }, (_, index) => Number(`1e${first + index}`));
}

function wrap(words: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > letters) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function escapeXml(words: string): string {
  return words.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
