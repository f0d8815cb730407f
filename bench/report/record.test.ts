import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Benchmark, Result } from "../benchmark.ts";
import { drawChart } from "./chart.ts";
import { chartNames, chartPath, readDocuments, readRecord, readRecords } from "./files.ts";
import { type BenchRecord, blockOf, blocksIn, insertInto, recordOf, sourceOf } from "./record.ts";
import { formatTable } from "./table.ts";
import { atLeast } from "./verdict.ts";

const RESULT: Result = {
  header: ["server", "per second"],
  rows: [
    ["ours", "3,000"],
    ["a peer", "150"],
  ],
  notes: ["A note."],
  verdicts: [atLeast(25, "of a peer's", 20)],
  chart: {
    title: "A benchmark",
    caption: "",
    panels: [{ measure: "deliveries", better: "more", bars: [{ name: "ours", isOurs: true, value: 3_000 }] }],
  },
  programs: ["Chromium 156.0"],
};

const BENCHMARK: Benchmark = { name: "one", title: "A benchmark", connections: 1, run: async () => RESULT };

const WHEN = {
  date: new Date("2026-11-27T23:30:00Z"),
  machine: { cores: 2, processor: "AMD EPYC", kernel: "Linux 6.12.1", load: 0.42 },
  nodeVersion: "20.20.2",
  redisVersion: "7.0.15",
};

function record(more: Partial<Result> = {}): BenchRecord {
  return recordOf(BENCHMARK, { kind: "usual", live: undefined }, { ...RESULT, ...more }, WHEN);
}

describe("a record", () => {
  it("states date, machine, versions and command", () => {
    expect(sourceOf(record())).toBe(
      "27 November 2026, 2 cores (AMD EPYC), load 0.4 at the start, Linux 6.12.1, Node 20.20.2, Redis 7.0.15, Chromium 156.0: npm run bench -- one",
    );
  });

  it("states the options of the command", () => {
    const { command } = recordOf(BENCHMARK, { kind: "long", live: 1_000 }, RESULT, WHEN);
    expect(command).toBe("npm run bench -- one --long --live 1000");
  });

  it("is the same after a round trip through JSON", () => {
    expect(blockOf(JSON.parse(JSON.stringify(record())))).toBe(blockOf(record()));
  });
});

describe("a block of a document", () => {
  const block = "<!-- bench one -->\n<!-- end of bench one -->";

  it("is replaced by chart, table, verdicts and source", () => {
    const document = insertInto(`before\n\n${block}\n\nafter\n`, record());
    expect(document).toMatch(/^before\n\n<!-- bench one -->\n/);
    expect(document).toMatch(/\n<!-- end of bench one -->\n\nafter\n$/);
    expect(document).toContain("![A benchmark. Deliveries: ours 3,000.](../images/bench/one.svg)");
    expect(document).toContain(formatTable(RESULT.header, RESULT.rows));
    expect(document).toContain("| of a peer's |     20 × | ≥ 25 × | not met |");
    expect(document).toContain("Chromium 156.0: `npm run bench -- one`.");
  });

  it("shows the newest record", () => {
    const older = insertInto(block, record({ rows: [["ours", "1"]] }));
    const newer = insertInto(older, record());
    expect(newer).toBe(insertInto(block, record()));
    expect(newer).not.toBe(older);
  });

  it("does not change for a record of another benchmark", () => {
    const another = block.replaceAll("one", "one-more");
    expect(insertInto(another, record())).toBe(another);
    expect(blocksIn(`${block}\n${another}`)).toEqual(["one", "one-more"]);
  });
});

describe("the stored records", () => {
  it.each(readRecords())("chart and documentation show the record of $benchmark", (kept) => {
    const { benchmark, chart } = kept;
    if (chart) expect(readFileSync(chartPath(benchmark), "utf8")).toBe(drawChart(chart, sourceOf(kept)));
    const documents = readDocuments().filter(({ text }) => blocksIn(text).includes(benchmark));
    expect(documents).toHaveLength(1);
    for (const { text } of documents) expect(text).toContain(blockOf(kept));
  });

  it("exist for each block and each chart", () => {
    const names = [...readDocuments().flatMap(({ text }) => blocksIn(text)), ...chartNames()];
    for (const name of names) expect(readRecord(name), name).toBeDefined();
  });
});
