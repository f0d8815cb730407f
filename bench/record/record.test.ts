import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { barOf } from "../charts/chart.ts";
import { drawChart } from "../charts/draw-chart.ts";
import type { Answer, Question } from "../question.ts";
import { formatTable } from "../table.ts";
import { atLeast } from "../verdict.ts";
import { chartPath, readDocuments, readRecord, readRecords } from "./files.ts";
import { type BenchRecord, blockOf, placesIn, putInto, recordOf, sourceOf } from "./record.ts";

const ANSWER: Answer = {
  header: ["server", "per second"],
  rows: [
    ["ours", "3,000"],
    ["a peer", "150"],
  ],
  notes: ["A note."],
  verdicts: [atLeast(25, "of a peer's", 20)],
  chart: {
    title: "A question",
    caption: "",
    panels: [{ measure: "deliveries", better: "more", bars: [barOf("ours", [3_000], { isOurs: true })] }],
  },
  programs: ["Chromium 156.0"],
};

const QUESTION: Question = { name: "a-question", title: "A question", connections: () => 1, run: async () => ANSWER };

const WHEN = {
  date: new Date("2026-11-27T23:30:00Z"),
  machine: { cores: 2, processor: "AMD EPYC", kernel: "Linux 6.12.1", load: 0.42 },
  nodeVersion: "20.20.2",
  redisVersion: "7.0.15",
};

function record(more: Partial<Answer> = {}): BenchRecord {
  return recordOf(QUESTION, { isLong: false }, { ...ANSWER, ...more }, WHEN);
}

describe("a record", () => {
  it("says when, where, of what and how", () => {
    expect(sourceOf(record())).toBe(
      "27 November 2026, 2 cores (AMD EPYC), load 0.4 at the start, Linux 6.12.1, Node 20.20.2, Redis 7.0.15, Chromium 156.0: npm run bench -- a-question",
    );
  });

  it("says with which options, and names no Redis that took no part", () => {
    const { command, versions } = recordOf(
      { ...QUESTION, isWithoutRedis: true },
      { isLong: true, live: 1_000 },
      ANSWER,
      WHEN,
    );
    expect(command).toBe("npm run bench -- a-question --long --live 1000");
    expect(versions).toEqual(["Node 20.20.2", "Chromium 156.0"]);
  });

  it("is the same after it was kept as JSON", () => {
    expect(blockOf(JSON.parse(JSON.stringify(record())))).toBe(blockOf(record()));
  });
});

describe("a place in a document", () => {
  const place = "<!-- bench a-question -->\n<!-- end of bench a-question -->";

  it("gets chart, table, verdicts and source, and what is around it stays", () => {
    const document = putInto(`before\n\n${place}\n\nafter\n`, record());
    expect(document).toMatch(/^before\n\n<!-- bench a-question -->\n/);
    expect(document).toMatch(/\n<!-- end of bench a-question -->\n\nafter\n$/);
    expect(document).toContain("![A question. Deliveries: ours 3,000.](../images/bench/a-question.svg)");
    expect(document).toContain(formatTable(ANSWER.header, ANSWER.rows));
    expect(document).toContain("| of a peer's |     20 × | ≥ 25 × | not reached |");
    expect(document).toContain("Chromium 156.0: `npm run bench -- a-question`.");
  });

  it("gets a newer record in place of an older", () => {
    const older = putInto(place, record({ rows: [["ours", "1"]] }));
    const newer = putInto(older, record());
    expect(newer).toBe(putInto(place, record()));
    expect(newer).not.toBe(older);
  });

  it("is left alone where it is another's", () => {
    const another = place.replaceAll("a-question", "a-question-too");
    expect(putInto(another, record())).toBe(another);
    expect(placesIn(`${place}\n${another}`)).toEqual(["a-question", "a-question-too"]);
  });
});

describe("what was recorded", () => {
  it.each(readRecords())("$question is what its chart and the documentation show", (kept) => {
    const { question, chart } = kept;
    if (chart) expect(readFileSync(chartPath(question), "utf8")).toBe(drawChart(chart, sourceOf(kept)));
    const places = readDocuments().filter(({ text }) => placesIn(text).includes(question));
    expect(places).toHaveLength(1);
    for (const { text } of places) expect(text).toContain(blockOf(kept));
  });

  it("is there for each place and each chart", () => {
    const questions = readDocuments().flatMap(({ text }) => placesIn(text));
    for (const question of questions) expect(readRecord(question), question).toBeDefined();
    for (const name of readdirSync(chartPath("").replace(/\.svg$/, ""))) {
      expect(readRecord(name.replace(/\.svg$/, "")), name).toBeDefined();
    }
  });
});
