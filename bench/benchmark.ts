import { median, percentile } from "@presence/testkit";
import type { Bar, Chart, Mark, Panel } from "./report/chart.ts";
import { formatNumber, formatSpread } from "./report/table.ts";
import type { Verdict } from "./report/verdict.ts";
import { inScope } from "./setup/scope.ts";

/** How much is measured. */
export class Effort {
  /** `quick` only shows that a benchmark runs: one round of a tenth of the load. */
  readonly kind: "quick" | "usual" | "long";
  /** The number of live clients, if it was given on the command line. */
  readonly live: number | undefined;
  /** Arguments for Node in each server under test. */
  readonly nodeArgs: readonly string[];
  /** Shows what is being done. */
  readonly onProgress: (step: string) => void;

  constructor(options: Partial<Pick<Effort, "kind" | "live" | "nodeArgs" | "onProgress">> = {}) {
    this.kind = options.kind ?? "usual";
    this.live = options.live;
    this.nodeArgs = options.nodeArgs ?? [];
    this.onProgress = options.onProgress ?? (() => {});
  }

  /** A number of clients, events or milliseconds that is smaller in a quick run. */
  scaled(count: number): number {
    return this.kind === "quick" ? Math.ceil(count / 10) : count;
  }

  /** The number of live clients: from the command line, otherwise `usual`. */
  liveClients(usual: number): number {
    return this.live ?? this.scaled(usual);
  }
}

/** What one round measures, in the units in which it is shown. A list holds several values, such as latencies. */
export type Figures<F extends string> = Readonly<Record<F, number | readonly number[]>>;

/** One of the systems that a benchmark compares. */
export interface Peer<F extends string> {
  name: string;
  isOurs?: boolean;
  /** What this starts is stopped after the round. */
  measure(round: number): Promise<Figures<F>>;
}

/** All rounds of one peer. */
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
}

/** A target; its mark, if it has one, is drawn at the bar with this name in the panels of this figure. */
export interface Target extends Verdict {
  mark?: Mark & { bar: string; figure?: string };
}

/** A panel with a bar of each sample, or with bars of its own. */
export interface PanelOf<F extends string> extends Omit<Panel, "bars"> {
  figure?: F;
  bars?: readonly Bar[];
  note?(sample: Sample<F>): string | undefined;
}

export interface Report<F extends string> {
  /** The head of the column of names; without it there are no names. */
  names?: string;
  /** The other columns, and what they hold of a sample. */
  columns?: readonly (readonly [string, (sample: Sample<F>) => number | string])[];
  /** A table of another form. */
  table?: { header: readonly string[]; rows: readonly (readonly string[])[] };
  notes: readonly string[];
  targets?: readonly Target[];
  /** Its title is the benchmark's, unless it has its own. */
  chart?: { title?: string; caption: string; panels: readonly PanelOf<F>[] };
  /** Other programs that took part, with their versions. */
  programs?: readonly string[];
}

/** What is known of a run beside its figures. */
export interface Run {
  /** The title of the benchmark. */
  title: string;
  effort: Effort;
  /** How many rounds each peer had. */
  rounds: number;
}

export interface Setup<F extends string> {
  peers: readonly Peer<F>[];
  /** Is called after the last round, and adds to the report. */
  conclude?(): Promise<Pick<Partial<Report<F>>, "notes" | "targets" | "programs">>;
}

export interface Declaration<F extends string> {
  /** Its name on the command line. */
  name: string;
  title: string;
  /** How many connections one process has open at most. */
  connections: number;
  /** Rounds that count, and rounds before them that only warm up. */
  rounds: { usual: number; long: number; warmUp?: number };
  /** Starts what is measured. It is stopped after the last round. */
  setUp(effort: Effort): Promise<Setup<F>>;
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

export interface Benchmark extends Pick<Declaration<string>, "name" | "title" | "connections"> {
  run(effort: Effort): Promise<Result>;
}

export function defineBenchmark<F extends string>(declaration: Declaration<F>): Benchmark {
  const { name, title, connections } = declaration;
  return { name, title, connections, run: (effort) => inScope(() => runBenchmark(declaration, effort)) };
}

async function runBenchmark<F extends string>(declaration: Declaration<F>, effort: Effort): Promise<Result> {
  const { title, rounds, setUp, report } = declaration;
  effort.onProgress("setting up");
  const { peers, conclude } = await setUp(effort);
  const isQuick = effort.kind === "quick";
  const count = isQuick ? 1 : effort.kind === "long" ? rounds.long : rounds.usual;
  const [first, ...others] = await measureRounds(peers, count, isQuick ? 0 : (rounds.warmUp ?? 0), effort);
  if (!first) throw new Error("has no peers.");
  const more = (await conclude?.()) ?? {};
  const own = report([first, ...others], { title, effort, rounds: count });
  return resultOf(title, [first, ...others], {
    ...own,
    ...more,
    notes: [...own.notes, ...(more.notes ?? [])],
    targets: [...(own.targets ?? []), ...(more.targets ?? [])],
  });
}

/** Peers take turns in each round, so that changes of the machine's load affect all of them. */
async function measureRounds<F extends string>(
  peers: readonly Peer<F>[],
  count: number,
  warmUp: number,
  { onProgress }: Effort,
): Promise<Sample<F>[]> {
  const figures = peers.map((): Figures<F>[] => []);
  for (let round = -warmUp; round < count; round++) {
    for (const [index, peer] of peers.entries()) {
      onProgress(`round ${round + 1} of ${count}: ${peer.name}`);
      const measured = await inScope(() => peer.measure(round));
      if (round >= 0) figures[index]?.push(measured);
    }
  }
  return peers.map((peer, index) => new Sample(peer.name, peer.isOurs ?? false, figures[index] ?? []));
}

/** `Medians of 3 rounds; thin lines: minimum to maximum.` */
export function captionOf({ rounds }: Run, ...more: string[]): string {
  return [`Medians of ${rounds} rounds; thin lines: minimum to maximum.`, ...more].join(" ");
}

function resultOf<F extends string>(title: string, samples: readonly Sample<F>[], report: Report<F>): Result {
  const { names, columns = [], table, notes, targets = [], chart, programs } = report;
  const cell = (value: number | string) => (typeof value === "number" ? formatNumber(value) : value);
  return {
    header: table?.header ?? [...(names === undefined ? [] : [names]), ...columns.map(([head]) => head)],
    rows:
      table?.rows ??
      samples.map((sample) => [
        ...(names === undefined ? [] : [sample.name]),
        ...columns.map(([, cellOf]) => cell(cellOf(sample))),
      ]),
    notes,
    ...(targets.length > 0 && { verdicts: targets.map(({ mark: _, ...verdict }) => verdict) }),
    ...(chart && { chart: { title, ...chart, panels: chart.panels.map((panel) => panelOf(panel, samples, targets)) } }),
    ...(programs && { programs }),
  };
}

function panelOf<F extends string>(
  { figure, bars, note, ...panel }: PanelOf<F>,
  samples: readonly Sample<F>[],
  targets: readonly Target[],
): Panel {
  const drawn =
    bars ??
    samples.map((sample) => {
      const words = note?.(sample);
      return figure ? sample.bar(figure, words ? { note: words } : {}) : { name: sample.name, isOurs: false, value: 0 };
    });
  return {
    ...panel,
    bars: drawn.map((bar) => {
      const marks = targets.flatMap(({ mark }) =>
        mark?.bar === bar.name && mark.figure === figure ? [{ value: mark.value, label: mark.label }] : [],
      );
      return marks.length > 0 ? { ...bar, targets: marks } : bar;
    }),
  };
}
