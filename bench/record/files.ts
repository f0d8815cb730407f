import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { drawChart } from "../charts/draw-chart.ts";
import { type BenchRecord, putInto, sourceOf } from "./record.ts";

const DATA = fileURLToPath(new URL("../../images/data/", import.meta.url));
const CHARTS = fileURLToPath(new URL("../../images/bench/", import.meta.url));
const DOCUMENTS = fileURLToPath(new URL("../../docs/", import.meta.url));

export function readRecord(question: string): BenchRecord | undefined {
  const path = `${DATA}${question}.json`;
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/** Of all questions that have one. */
export function readRecords(): BenchRecord[] {
  const questions = readdirSync(DATA).map((name) => name.replace(/\.json$/, ""));
  return questions.flatMap((question) => readRecord(question) ?? []);
}

export function writeRecord(record: BenchRecord): void {
  mkdirSync(DATA, { recursive: true });
  writeFileSync(`${DATA}${record.question}.json`, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Draws its chart, and puts chart and table into the document that has a place for them. */
export function publish(record: BenchRecord): void {
  if (record.chart) {
    mkdirSync(CHARTS, { recursive: true });
    writeFileSync(chartPath(record.question), drawChart(record.chart, sourceOf(record)));
  }
  for (const { path, text } of readDocuments()) {
    const changed = putInto(text, record);
    if (changed !== text) writeFileSync(path, changed);
  }
}

export function chartPath(question: string): string {
  return `${CHARTS}${question}.svg`;
}

/** Those in which figures may have a place. */
export function readDocuments(): { path: string; text: string }[] {
  const names = readdirSync(DOCUMENTS).filter((name) => name.endsWith(".md"));
  return names.map((name) => ({ path: `${DOCUMENTS}${name}`, text: readFileSync(`${DOCUMENTS}${name}`, "utf8") }));
}
