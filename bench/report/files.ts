import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { drawChart } from "./chart.ts";
import { type BenchRecord, insertInto, sourceOf } from "./record.ts";

const DATA = fileURLToPath(new URL("../../images/data/", import.meta.url));
const CHARTS = fileURLToPath(new URL("../../images/bench/", import.meta.url));
const DOCUMENTS = fileURLToPath(new URL("../../docs/", import.meta.url));

export function readRecord(benchmark: string): BenchRecord | undefined {
  const path = `${DATA}${benchmark}.json`;
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

export function readRecords(): BenchRecord[] {
  return readdirSync(DATA).flatMap((name) => readRecord(name.replace(/\.json$/, "")) ?? []);
}

export function writeRecord(record: BenchRecord): void {
  writeFileSync(`${DATA}${record.benchmark}.json`, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Draws the chart of a record, and inserts chart and table into the document that has a block for it. */
export function publish(record: BenchRecord): void {
  if (record.chart) writeFileSync(chartPath(record.benchmark), drawChart(record.chart, sourceOf(record)));
  for (const { path, text } of readDocuments()) {
    const changed = insertInto(text, record);
    if (changed !== text) writeFileSync(path, changed);
  }
}

export function chartPath(benchmark: string): string {
  return `${CHARTS}${benchmark}.svg`;
}

/** The names of the benchmarks that have a chart. */
export function chartNames(): string[] {
  return readdirSync(CHARTS).map((name) => name.replace(/\.svg$/, ""));
}

export function readDocuments(): { path: string; text: string }[] {
  const names = readdirSync(DOCUMENTS).filter((name) => name.endsWith(".md"));
  return names.map((name) => ({ path: `${DOCUMENTS}${name}`, text: readFileSync(`${DOCUMENTS}${name}`, "utf8") }));
}
