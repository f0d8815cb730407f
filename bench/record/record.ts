import { describePanel } from "../charts/draw-chart.ts";
import type { Machine } from "../machine.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { formatTable } from "../table.ts";
import { formatVerdicts } from "../verdict.ts";

/** An answer as it is kept: with when, where and how it was had. */
export interface BenchRecord extends Omit<Answer, "programs"> {
  question: Question["name"];
  title: string;
  command: string;
  /** `2026-11-27` */
  date: string;
  machine: Machine;
  /** Of what took part: `Node 20.20.2`. */
  versions: readonly string[];
}

/** @param when the question was asked, and how the machine was then */
export function recordOf(
  { name, title, isWithoutRedis }: Question,
  { isLong, live }: Pick<Effort, "isLong" | "live">,
  { programs = [], ...answer }: Answer,
  when: { date: Date; machine: Machine; nodeVersion: string; redisVersion: string },
): BenchRecord {
  const options = [...(isLong ? ["--long"] : []), ...(live === undefined ? [] : [`--live ${live}`])];
  const redis = isWithoutRedis ? [] : [`Redis ${when.redisVersion}`];
  return {
    question: name,
    title,
    command: ["npm run bench --", name, ...options].join(" "),
    date: when.date.toISOString().slice(0, 10),
    machine: when.machine,
    versions: [`Node ${when.nodeVersion}`, ...redis, ...programs],
    ...answer,
  };
}

/** When it was, of which machine, and of what on it. */
export function sourceOf({ date, machine, versions, command }: BenchRecord): string {
  const day = new Date(date).toLocaleDateString("en-GB", { dateStyle: "long", timeZone: "UTC" });
  const { cores, processor, load, kernel } = machine;
  const where = `${cores} cores (${processor}), load ${load.toFixed(1)} at the start, ${kernel}`;
  return `${day}, ${where}, ${versions.join(", ")}: ${command}`;
}

/** What a document shows of it, its marks included. */
export function blockOf(record: BenchRecord): string {
  const { question, header, rows, chart, verdicts = [] } = record;
  const image =
    chart && `![${chart.title}. ${chart.panels.map(describePanel).join(" ")}](../images/bench/${question}.svg)`;
  const parts = [
    beginOf(question),
    ...(image ? [image] : []),
    formatTable(header, rows),
    ...(verdicts.length > 0 ? [formatVerdicts(verdicts)] : []),
    `${sourceOf(record)}.`.replace(record.command, `\`${record.command}\``),
    endOf(question),
  ];
  return parts.join("\n\n");
}

/** @returns the document with the record in its place, or as it is where it has none */
export function putInto(document: string, record: BenchRecord): string {
  const begin = document.indexOf(beginOf(record.question));
  const end = document.indexOf(endOf(record.question), begin);
  if (begin < 0 || end < 0) return document;
  return document.slice(0, begin) + blockOf(record) + document.slice(end + endOf(record.question).length);
}

/** The questions that a document has a place for. */
export function placesIn(document: string): string[] {
  return [...document.matchAll(/^<!-- bench ([\w-]+) -->$/gm)].map(([, question = ""]) => question);
}

function beginOf(question: string): string {
  return `<!-- bench ${question} -->`;
}

function endOf(question: string): string {
  return `<!-- end of bench ${question} -->`;
}
