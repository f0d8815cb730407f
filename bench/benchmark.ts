import { median, percentile } from "@presence/testkit";
import type { Bar, Chart, Panel } from "./report/chart.ts";
import { formatNumber, formatRatio, formatSpread } from "./report/table.ts";
import type { Check, Target, Verdict } from "./report/verdict.ts";
import { inScope } from "./setup/scope.ts";

/** How much is measured. */
export interface Effort {
  /** `quick` only shows that a benchmark runs: one round of a tenth of the load. */
  kind: "quick" | "usual" | "long";
  /** The number of live clients, if it was given on the command line. */
  live: number | undefined;
  /** Shows what is being done. */
  onProgress(step: string): void;
}

/** One run of a benchmark: what is known beside its figures. Set-up and conclusion can add to the report. */
export class Run {
  readonly title: string;
  readonly effort: Effort;
  /** How many rounds each system has. */
  readonly rounds: number;
  readonly notes: string[] = [];
  readonly targets: Target[] = [];
  /** Other programs that took part, with their versions. */
  readonly programs: string[] = [];
  /** Is called after the last round. */
  conclude: () => Promise<void> = async () => {};

  constructor(title: string, effort: Effort, rounds: number) {
    this.title = title;
    this.effort = effort;
    this.rounds = rounds;
  }

  get isQuick(): boolean {
    return this.effort.kind === "quick";
  }

  /** A number of clients, events or milliseconds that is smaller in a quick run. */
  scaled(count: number): number {
    return this.isQuick ? Math.ceil(count / 10) : count;
  }

  /** The number of live clients: from the command line, otherwise `usual`. */
  liveClients(usual: number): number {
    return this.effort.live ?? this.scaled(usual);
  }

  /** `Medians of 3 rounds; thin lines: minimum to maximum.` */
  caption(...more: string[]): string {
    return [`Medians of ${this.rounds} rounds; thin lines: minimum to maximum.`, ...more].join(" ");
  }
}

/** What one round measures, in the units in which it is shown. A list holds several values, such as latencies. */
export type Figures<F extends string> = Readonly<Record<F, number | readonly number[]>>;

/** All rounds of one system. */
export class Sample<F extends string> {
  readonly name: string;
  readonly isOurs: boolean;
  readonly rounds: readonly Figures<F>[];

  constructor(name: string, isOurs: boolean, rounds: readonly Figures<F>[]) {
    this.name = name;
    this.isOurs = isOurs;
    this.rounds = rounds;
  }

  values(figure: F): number[] {
    return this.rounds.flatMap((round) => round[figure]);
  }

  median(figure: F): number {
    return median(this.values(figure));
  }

  percentile(figure: F, share: number): number {
    return percentile(this.values(figure), share);
  }

  max(figure: F): number {
    return Math.max(...this.values(figure));
  }

  sum(figure: F): number {
    return this.values(figure).reduce((total, value) => total + value, 0);
  }

  spread(figure: F): string {
    return formatSpread(this.values(figure));
  }

  /** The ratio of the medians: `2.5 ×`. */
  ratio(figure: F, reference: Sample<F>): string {
    return formatRatio(this.median(figure), reference.median(figure));
  }

  /** The round in the middle by a percentile of a figure: another program on the machine sometimes spoils a round. */
  middleRound(figure: F, share: number): Sample<F> {
    const order = (round: Figures<F>) => percentile([round[figure]].flat(), share);
    const sorted = this.rounds.toSorted((one, other) => order(one) - order(other));
    return new Sample(this.name, this.isOurs, sorted.slice(Math.floor(sorted.length / 2)).slice(0, 1));
  }

  bar(figure: F, more: Partial<Bar> = {}): Bar {
    const values = this.values(figure);
    const spread = { least: Math.min(...values), most: Math.max(...values) };
    return { name: this.name, isOurs: this.isOurs, value: median(values), spread, ...more };
  }

  /**
   * A target for the ratio of this sample's figure to that of another one, with a mark in the chart.
   *
   * @param name of the other sample in the mark
   */
  target(check: Check, times: number, what: string, figure: F, reference: Sample<F> | undefined, name: string): Target {
    const value = reference?.median(figure) ?? Number.NaN;
    const mark = { bar: this.name, figure, value: times * value, label: `target: ${times} × ${name}` };
    return check(times, what, this.median(figure) / value, "×", mark);
  }
}

/** A panel with a bar of each sample, or with bars of its own. */
type PanelOf<F extends string> = Omit<Panel, "bars"> &
  ({ figure: F; note?(sample: Sample<F>): string | undefined } | { bars: readonly Bar[] });

type Cell = number | string;

export interface Report<F extends string> {
  /** The head of the column of names; without it there are no names. */
  names?: string;
  /** The other columns, and what they hold of a sample: a median, or something else. */
  columns?: readonly (readonly [string, F | ((sample: Sample<F>) => Cell)])[];
  /** A table of another form. */
  table?: { header: readonly string[]; rows: readonly (readonly Cell[])[] };
  notes: readonly string[];
  targets?: readonly Target[];
  /** Its title is the benchmark's, unless it has its own. */
  chart?: { title?: string; caption: string; panels: readonly PanelOf<F>[] };
}

/** A system that a benchmark measures. */
interface System {
  name: string;
  /** Default: the first one is. */
  isOurs?: boolean;
}

interface Declaration<F extends string, S extends System> {
  /** Its name on the command line. */
  name: string;
  title: string;
  /** How many connections one process has open at most. */
  connections: number;
  /** Rounds that count, and rounds before them that only warm up. */
  rounds: { usual: number; long: number; warmUp?: number };
  /** Starts the systems that are compared; without it there is ours alone. What it starts is stopped after the last round. */
  setUp?(run: Run): Promise<readonly S[]>;
  /** Measures one round of a system. What it starts is stopped after the round. */
  measure(run: Run, system: S, round: number): Promise<Figures<F>>;
  report(samples: readonly [Sample<F>, ...Sample<F>[]], run: Run): Report<F>;
}

export interface Result {
  header: readonly string[];
  rows: readonly (readonly string[])[];
  notes: readonly string[];
  verdicts?: readonly Verdict[];
  chart?: Chart;
  programs?: readonly string[];
}

export interface Benchmark extends Pick<Declaration<string, System>, "name" | "title" | "connections"> {
  run(effort: Effort): Promise<Result>;
}

export function defineBenchmark<F extends string, S extends System = System>(
  declaration: Declaration<F, S>,
): Benchmark {
  const { name, title, connections } = declaration;
  return { name, title, connections, run: (effort) => inScope(() => runBenchmark(declaration, effort)) };
}

async function runBenchmark<F extends string, S extends System>(
  declaration: Declaration<F, S>,
  effort: Effort,
): Promise<Result> {
  const { title, rounds, setUp, report } = declaration;
  const run = new Run(title, effort, effort.kind === "quick" ? 1 : rounds[effort.kind]);
  effort.onProgress("setting up");
  const systems = (await setUp?.(run)) ?? [{ name: "ours" } as S];
  const [first, ...others] = await measureRounds(declaration, systems, run);
  if (!first) throw new Error("has nothing to measure.");
  await run.conclude();
  return resultOf([first, ...others], report([first, ...others], run), run);
}

/** Systems take turns in each round, so that changes of the machine's load affect all of them. */
async function measureRounds<F extends string, S extends System>(
  { rounds: { warmUp = 0 }, measure }: Declaration<F, S>,
  systems: readonly S[],
  run: Run,
): Promise<Sample<F>[]> {
  const figures = systems.map((): Figures<F>[] => []);
  for (let round = run.isQuick ? 0 : -warmUp; round < run.rounds; round++) {
    for (const [index, system] of systems.entries()) {
      run.effort.onProgress(`round ${round + 1} of ${run.rounds}: ${system.name}`);
      const measured = await inScope(() => measure(run, system, round));
      if (round >= 0) figures[index]?.push(measured);
    }
  }
  return systems.map(({ name, isOurs }, index) => new Sample(name, isOurs ?? index === 0, figures[index] ?? []));
}

function resultOf<F extends string>(samples: readonly Sample<F>[], report: Report<F>, run: Run): Result {
  const { names, columns = [], chart } = report;
  const targets = [...(report.targets ?? []), ...run.targets];
  const name = (text: string) => (names === undefined ? [] : [text]);
  const table = report.table ?? {
    header: [...name(names ?? ""), ...columns.map(([head]) => head)],
    rows: samples.map((sample) => [
      ...name(sample.name),
      ...columns.map(([, cell]) => (typeof cell === "string" ? sample.median(cell) : cell(sample))),
    ]),
  };
  return {
    header: table.header,
    rows: table.rows.map((row) => row.map((cell) => (typeof cell === "number" ? formatNumber(cell) : cell))),
    notes: [...report.notes, ...run.notes],
    ...(targets.length > 0 && { verdicts: targets.map(({ mark: _, ...verdict }) => verdict) }),
    ...(chart && {
      chart: { title: run.title, ...chart, panels: chart.panels.map((panel) => panelOf(panel, samples, targets)) },
    }),
    ...(run.programs.length > 0 && { programs: run.programs }),
  };
}

function panelOf<F extends string>(
  declared: PanelOf<F>,
  samples: readonly Sample<F>[],
  targets: readonly Target[],
): Panel {
  const marked = (bars: readonly Bar[], figure?: F) =>
    bars.map((bar) => {
      const marks = targets.flatMap(({ mark }) => (mark?.bar === bar.name && mark.figure === figure ? [mark] : []));
      return marks.length === 0 ? bar : { ...bar, targets: marks.map(({ value, label }) => ({ value, label })) };
    });
  if ("bars" in declared) return { ...declared, bars: marked(declared.bars) };
  const { figure, note, ...panel } = declared;
  const noteOf = (sample: Sample<F>) => {
    const text = note?.(sample);
    return text === undefined ? {} : { note: text };
  };
  const bars = samples.map((sample) => sample.bar(figure, noteOf(sample)));
  return { ...panel, bars: marked(bars, figure) };
}
