import { median } from "../statistics.ts";

/** What a question's answer looks like: horizontal bars, ours beside those of peers. */
export interface Chart {
  title: string;
  panels: readonly Panel[];
  /** What a bar and its thin line stand for, and what else there is to know. */
  caption: string;
}

/** Bars of one figure, on one scale. */
export interface Panel {
  /** What is measured, in what: "deliveries per second". */
  measure: string;
  /** What is put after each figure, where anything is. */
  unit?: string;
  better: "more" | "less";
  isLogarithmic?: boolean;
  bars: readonly Bar[];
}

export interface Bar {
  name: string;
  isOurs: boolean;
  value: number;
  /** Ends of the thin line below the bar. */
  spread?: { least: number; most: number };
  /** How it compares with ours, in words. */
  note?: string;
  /** What was aimed at. */
  targets?: readonly Target[];
}

export interface Target {
  value: number;
  label: string;
}

/** The median of what all rounds gave, and from the least to the most of them. */
export function barOf(name: string, values: readonly number[], more: Partial<Omit<Bar, "name" | "value">> = {}): Bar {
  const spread = { least: Math.min(...values), most: Math.max(...values) };
  return { name, isOurs: false, value: median(values), spread, ...more };
}
