import { describe, expect, it } from "vitest";
import { type Chart, describePanel, drawChart, type Panel } from "./chart.ts";

const SOURCE = "27 November 2026, 2 cores, Node 20.20.2: npm run bench -- burst";

const BURST: Chart = {
  title: "A burst",
  caption: "Medians of 3 rounds.",
  panels: [
    {
      measure: "deliveries per second",
      better: "more",
      bars: [
        {
          name: "ours",
          isOurs: true,
          value: 3_000_000,
          spread: { least: 2_000_000, most: 4_000_000 },
          targets: [
            { value: 3_750_000, label: "target: 25 × better-sse" },
            { value: 1_000_000, label: "target: 10 × Socket.IO" },
          ],
        },
        { name: "better-sse", isOurs: false, value: 150_000, note: "ours is 20 ×" },
      ],
    },
  ],
};

const LEFT = 24;

function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) =>
    text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))).replace(/&amp;/g, "&"),
  );
}

/** The widths of the bars of one colour. */
function barsIn(svg: string, color: string): number[] {
  const bars = svg.matchAll(
    new RegExp(`<g fill="var\\(--${color}\\)" aria-label="rect"><rect [^>]*?width="([\\d.]+)"`, "g"),
  );
  return [...bars].map(([, width]) => Number(width));
}

/** The positions of vertical lines with this attribute, from the start of the scale. */
function linesIn(svg: string, attribute: string): number[] {
  const groups = svg.matchAll(new RegExp(`<g [^>]*${attribute}[^>]*aria-label="rule">(.*?)</g>`, "g"));
  return [...groups].flatMap(([, group = ""]) =>
    [...group.matchAll(/x1="([\d.]+)"/g)].map(([, x]) => Number(x) - LEFT),
  );
}

describe("a chart", () => {
  it("is a self-contained image with a title and a description", () => {
    const svg = drawChart(BURST, SOURCE);
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 640 \d+" width="\d+" height="\d+"/,
    );
    expect(svg).toContain('role="img" aria-labelledby="title description"');
    expect(svg).toContain('<desc id="description">Deliveries per second: ours 3,000,000;');
    expect(svg.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|url\(|@import|@font-face|<script|href/);
  });

  it("is the same each time it is drawn", () => {
    expect(drawChart(BURST, SOURCE)).toBe(drawChart(BURST, SOURCE));
  });

  it("labels each bar with its name, figure and note", () => {
    expect(textsOf(drawChart(BURST, SOURCE))).toEqual(
      expect.arrayContaining([
        "A burst",
        "deliveries per second: more is better",
        "ours",
        "3,000,000",
        "150,000",
        "ours is 20 ×",
        "target: 25 × better-sse",
        "Medians of 3 rounds.",
        SOURCE,
      ]),
    );
  });

  it("draws bars in proportion to their figures, ours in another colour", () => {
    const svg = drawChart(BURST, SOURCE);
    const [ours = 0, ...otherOurs] = barsIn(svg, "ours");
    const [peer = 0, ...otherPeers] = barsIn(svg, "peer");
    expect(ours / peer).toBeCloseTo(20, 0);
    expect([...otherOurs, ...otherPeers]).toEqual([]);
  });

  it("marks the spread and the targets", () => {
    const svg = drawChart(BURST, SOURCE);
    const [ours = 0] = barsIn(svg, "ours");
    const [from = 0, , to = 0] = linesIn(svg, 'stroke-width="1.5"');
    expect(from / ours).toBeCloseTo(2 / 3);
    expect(to / ours).toBeCloseTo(4 / 3);
    const [most = 0, least = 0] = linesIn(svg, "stroke-dasharray");
    expect(most / least).toBeCloseTo(3.75);
  });

  it("names a logarithmic scale and shows its powers of ten", () => {
    const bars = [30, 3_000].map((value) => ({ name: String(value), isOurs: true, value }));
    const panel: Panel = { measure: "delay", unit: "ms", better: "less", isLogarithmic: true, bars };
    const svg = drawChart({ ...BURST, panels: [panel] }, SOURCE);
    expect(textsOf(svg)).toEqual(
      expect.arrayContaining(["delay, logarithmic scale: less is better", "10 ms", "100 ms", "1,000 ms"]),
    );
    const [first = 0, second = 0] = barsIn(svg, "ours");
    expect(second / first).toBeCloseTo(Math.log10(300) / Math.log10(3), 1);
  });

  it("draws a dot for each value of a row", () => {
    const bars = [{ name: "ours", isOurs: true, value: 2, dots: [1, 2, 3] }];
    const panel: Panel = { measure: "delay", unit: "ms", better: "less", domain: [0, 10], bars };
    const svg = drawChart({ ...BURST, panels: [panel] }, SOURCE);
    expect(svg.match(/<circle /g)).toHaveLength(3);
    expect(barsIn(svg, "ours")).toEqual([]);
  });

  it.each([
    [[4_049_134], ["0", "1,000,000", "2,000,000", "3,000,000", "4,000,000"]],
    [[0.57], ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]],
    [[60], ["0", "20", "40", "60"]],
  ])("has a few round ticks up to %s", (values, ticks) => {
    const bars = values.map((value) => ({ name: "x", isOurs: true, value, note: "" }));
    const svg = drawChart({ ...BURST, panels: [{ measure: "x", better: "more", bars }] }, SOURCE);
    const axis = /aria-label="x-axis tick label">(.*?)<\/g>/.exec(svg)?.[1] ?? "";
    expect(textsOf(axis)).toEqual(ticks);
  });

  it("escapes markup and wraps long lines", () => {
    const title = `<script>"1" & '2'</script>`;
    const svg = drawChart({ ...BURST, title, caption: title }, title);
    expect(svg).not.toContain("<script");
    expect(textsOf(svg).filter((text) => text === title)).toHaveLength(3);
    const words = "a title of many words ".repeat(5).trim();
    const lines = textsOf(drawChart({ ...BURST, title: words }, SOURCE)).slice(0, 3);
    expect(lines.join(" ")).toBe(words);
  });
});

describe("describePanel", () => {
  it("describes the bars in words", () => {
    const [panel] = BURST.panels;
    expect(panel && describePanel(panel)).toBe(
      "Deliveries per second: ours 3,000,000; better-sse 150,000 (ours is 20 ×).",
    );
  });
});
