import type { Chart } from "./charts/chart.ts";
import type { Verdict } from "./verdict.ts";

/** What one question is asked with. */
export interface Effort {
  /** More rounds and more clients. */
  isLong: boolean;
  /** How many clients are live, where that is a question's choice and was made on the command line. */
  live?: number | undefined;
  /** Arguments for Node in each server under test. */
  nodeArgs: readonly string[];
  /** Says what is being done. */
  onProgress(step: string): void;
}

export interface Question {
  /** Its name on the command line. */
  name: string;
  title: string;
  /** Where no Redis takes part, so that none is named beside the figures. */
  isWithoutRedis?: true;
  /** How many connections one process has open at most. */
  connections(effort: Pick<Effort, "isLong">): number;
  run(effort: Effort): Promise<Answer>;
}

export interface Answer {
  header: readonly string[];
  rows: readonly (readonly string[])[];
  notes: readonly string[];
  /** What was aimed at, where something was. */
  verdicts?: readonly Verdict[];
  /** What of it is drawn. */
  chart?: Chart;
  /** What else took part, with its version. */
  programs?: readonly string[];
  /** What a picture of another kind is drawn of, by `npm run images`. */
  data?: object;
}
