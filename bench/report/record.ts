import type { Benchmark, Effort, Result } from "../benchmark.ts";
import type { Machine } from "../setup/machine.ts";
import { describePanel } from "./chart.ts";
import { formatTable } from "./table.ts";
import { formatVerdicts } from "./verdict.ts";

/** A result as it is stored: with when, where and how it was measured. */
export interface BenchRecord extends Omit<Result, "programs"> {
  benchmark: Benchmark["name"];
  title: string;
  command: string;
  /** `2026-11-27` */
  date: string;
  machine: Machine;
  /** Of the programs that took part: `Node 20.20.2`. */
  versions: readonly string[];
}

/** @param when the benchmark was started, and the state of the machine at that time */
export function recordOf(
  { name, title }: Benchmark,
  { kind, live }: Pick<Effort, "kind" | "live">,
  { programs = [], ...result }: Result,
  when: { date: Date; machine: Machine; nodeVersion: string; redisVersion: string },
): BenchRecord {
  const options = [...(kind === "usual" ? [] : [`--${kind}`]), ...(live === undefined ? [] : [`--live ${live}`])];
  return {
    benchmark: name,
    title,
    command: ["npm run bench --", name, ...options].join(" "),
    date: when.date.toISOString().slice(0, 10),
    machine: when.machine,
    versions: [`Node ${when.nodeVersion}`, `Redis ${when.redisVersion}`, ...programs],
    ...result,
  };
}

/** When, on which machine, with which programs and by which command it was measured. */
export function sourceOf({ date, machine, versions, command }: BenchRecord): string {
  const day = new Date(date).toLocaleDateString("en-GB", { dateStyle: "long", timeZone: "UTC" });
  const { cores, processor, load, kernel } = machine;
  const where = `${cores} cores (${processor}), load ${load.toFixed(1)} at the start, ${kernel}`;
  return `${day}, ${where}, ${versions.join(", ")}: ${command}`;
}

/** The part of a document that shows the record, with the comments that enclose it. */
export function blockOf(record: BenchRecord): string {
  const { benchmark, header, rows, chart, verdicts = [] } = record;
  const image =
    chart && `![${chart.title}. ${chart.panels.map(describePanel).join(" ")}](../images/bench/${benchmark}.svg)`;
  const parts = [
    startOf(benchmark),
    ...(image ? [image] : []),
    formatTable(header, rows),
    ...(verdicts.length > 0 ? [formatVerdicts(verdicts)] : []),
    `${sourceOf(record)}.`.replace(record.command, `\`${record.command}\``),
    endOf(benchmark),
  ];
  return parts.join("\n\n");
}

/** @returns the document with the record in its block; the same document if it has no block for it */
export function insertInto(document: string, record: BenchRecord): string {
  const start = document.indexOf(startOf(record.benchmark));
  const end = document.indexOf(endOf(record.benchmark), start);
  if (start < 0 || end < 0) return document;
  return document.slice(0, start) + blockOf(record) + document.slice(end + endOf(record.benchmark).length);
}

/** The benchmarks that a document has a block for. */
export function blocksIn(document: string): string[] {
  return [...document.matchAll(/^<!-- bench ([\w-]+) -->$/gm)].map(([, benchmark = ""]) => benchmark);
}

function startOf(benchmark: string): string {
  return `<!-- bench ${benchmark} -->`;
}

function endOf(benchmark: string): string {
  return `<!-- end of bench ${benchmark} -->`;
}
