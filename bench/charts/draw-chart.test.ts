import { describe, expect, it } from "vitest";
import { barOf, type Chart } from "./chart.ts";
import { describePanel, drawChart } from "./draw-chart.ts";
import { widthOf } from "./text.ts";

const SOURCE = "27 November 2026, 2 cores, Node 20.20.2: npm run bench -- burst";

const BURST: Chart = {
  title: "A burst",
  caption: "Medians of 3 rounds.",
  panels: [
    {
      measure: "deliveries per second",
      better: "more",
      bars: [
        barOf("ours", [3_000_000, 2_000_000, 4_000_000], {
          isOurs: true,
          targets: [
            { value: 3_750_000, label: "aimed at: 25 × better-sse" },
            { value: 1_000_000, label: "aimed at: 10 × Socket.IO" },
            { value: 1_200_000, label: "aimed at: 12 × Nchan" },
          ],
        }),
        barOf("better-sse", [150_000], { note: "ours is 20 ×" }),
      ],
    },
  ],
};

interface Text {
  text: string;
  kinds: string[];
  left: number;
  right: number;
  baseline: number;
  size: number;
}

/** Every text of a drawing, and where it is at the most. */
function textsOf(svg: string): Text[] {
  const sizes = new Map([...svg.matchAll(/\.(\w+) \{ font-size: ([\d.]+)px/g)].map(([, kind, size]) => [kind, size]));
  const found = svg.matchAll(
    /<text class="([\w ]+)" x="([\d.]+)" y="([\d.]+)"(?: text-anchor="(\w+)")?>([^<]*)<\/text>/g,
  );
  return [...found].map(([, classes = "", x, y, anchor = "start", escaped = ""]) => {
    const text = escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
    const kinds = classes.split(" ");
    const size = Number(sizes.get(kinds[0] ?? ""));
    const width = widthOf(text, size);
    const left = Number(x) - { start: 0, middle: width / 2, end: width }[anchor as "start" | "middle" | "end"];
    return { text, kinds, left, right: left + width, baseline: Number(y), size };
  });
}

function heightOf(svg: string): number {
  return Number(/viewBox="0 0 560 (\d+)"/.exec(svg)?.[1]);
}

/** Pairs of texts of which one stands on the other. */
function overlapsIn(svg: string): string[] {
  const texts = textsOf(svg);
  return texts.flatMap((one, index) =>
    texts
      .slice(index + 1)
      .filter(
        (other) =>
          one.left < other.right &&
          other.left < one.right &&
          Math.abs(one.baseline - other.baseline) < 0.9 * Math.min(one.size, other.size),
      )
      .map((other) => `${one.text} | ${other.text}`),
  );
}

/** Widths of the bars, in the order in which they stand. */
function barsIn(svg: string): number[] {
  return [...svg.matchAll(/<rect class="bar(?: ours)?" [^>]*? width="([\d.]+)"/g)].map(([, width]) => Number(width));
}

describe("a chart", () => {
  it("is an image by itself: it loads nothing and runs nothing", () => {
    const svg = drawChart(BURST, SOURCE);
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 560 \d+" width="\d+" height="\d+"/,
    );
    expect(svg.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|url\(|@import|@font-face|<script|href/);
  });

  it("says for each bar its name, its figure and how it compares", () => {
    const texts = textsOf(drawChart(BURST, SOURCE)).map(({ text }) => text);
    expect(texts).toEqual(
      expect.arrayContaining([
        "A burst",
        "deliveries per second: more is better",
        "3,000,000",
        "150,000",
        "ours is 20 ×",
        "Medians of 3 rounds.",
        SOURCE,
      ]),
    );
  });

  it("draws bars as long as their figures, ours apart from others", () => {
    const svg = drawChart(BURST, SOURCE);
    const [ours = 0, peer = 0] = barsIn(svg);
    expect(ours / peer).toBeCloseTo(20, 0);
    expect(svg.match(/class="bar ours"/g)).toHaveLength(1);
    expect(svg.match(/class="bar"/g)).toHaveLength(1);
  });

  it("marks from the least to the most, and what was aimed at", () => {
    const svg = drawChart(BURST, SOURCE);
    const [, from, to] = /class="spread" d="M([\d.]+) [\d.]+H([\d.]+)/.exec(svg) ?? [];
    expect((Number(to) - 22) / (Number(from) - 22)).toBeCloseTo(2);
    const marks = [...svg.matchAll(/class="aim" d="M([\d.]+) /g)].map(([, x]) => Number(x) - 22);
    expect(Math.max(...marks) / Math.min(...marks)).toBeCloseTo(3.75);
    const labels = textsOf(svg).filter(({ kinds }) => kinds.includes("target"));
    expect(labels.map(({ text }) => text).sort()).toEqual(
      ["aimed at: 10 × Socket.IO", "aimed at: 12 × Nchan", "aimed at: 25 × better-sse"].sort(),
    );
  });

  it("says so where its scale is logarithmic, and shows its powers of ten", () => {
    const bars = [barOf("99th percentile", [30]), barOf("worst", [3_000])];
    const panel = { measure: "delay", unit: "ms", better: "less", isLogarithmic: true, bars } as const;
    const svg = drawChart({ ...BURST, panels: [panel] }, SOURCE);
    const texts = textsOf(svg).map(({ text }) => text);
    expect(texts).toContain("delay, on a logarithmic scale: less is better");
    expect(texts).toEqual(expect.arrayContaining(["10 ms", "100 ms", "1,000 ms"]));
  });

  it("shows what it is told, not what that would mean to a browser", () => {
    const title = `<script>"1" & '2'</script>`;
    const svg = drawChart({ ...BURST, title, caption: title }, title);
    expect(svg).not.toContain("<script");
    expect(textsOf(svg).filter(({ text }) => text === title)).toHaveLength(3);
  });

  it.each([
    ["short names", "ours", "aimed at: 2 ×"],
    ["long names", "a server ".repeat(25).trim(), "aimed at: 2 × what the server with the long name has"],
    ["names without a space", "W".repeat(90), "aimed at: 2 ×"],
  ])("puts no text on another, nor beyond its card: %s", (_, name, label) => {
    const values = [[1], [500, 700, 1_000], [0.5, 0.2], [999_999]];
    for (const isLogarithmic of [false, true]) {
      const bars = values.map((each, index) =>
        barOf(name, each, {
          isOurs: index % 2 === 0,
          note: "ours is 40.4 ×",
          targets: [600, 610, 900_000].map((value) => ({ value, label })),
        }),
      );
      const panel = { measure: name, unit: "kB", better: "more", isLogarithmic, bars } as const;
      const svg = drawChart({ title: name, caption: name, panels: [panel, panel] }, name);
      expect(overlapsIn(svg)).toEqual([]);
      for (const { left, right, baseline, text } of textsOf(svg)) {
        expect(left, text).toBeGreaterThan(10);
        expect(right, text).toBeLessThan(550);
        expect(baseline, text).toBeLessThan(heightOf(svg) - 8);
      }
    }
  });
});

describe("describePanel", () => {
  it("says in words what is drawn", () => {
    const [panel] = BURST.panels;
    expect(panel && describePanel(panel)).toBe(
      "Deliveries per second: ours 3,000,000; better-sse 150,000 (ours is 20 ×).",
    );
  });
});
