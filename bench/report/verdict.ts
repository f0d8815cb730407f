import { formatTable, formatWithUnit } from "./table.ts";

const TIMES = "×";

/** A target and what was measured. */
export interface Verdict {
  what: string;
  measured: string;
  target: string;
  isReached: boolean;
}

/** For a figure of which more is better. The default unit is for ratios of ours to a peer's. */
export function atLeast(target: number, what: string, measured: number, unit: string = TIMES): Verdict {
  return verdictOf("≥", target, what, measured, unit, measured >= target);
}

/** For a figure of which less is better. The default unit is for ratios of ours to a peer's. */
export function atMost(target: number, what: string, measured: number, unit: string = TIMES): Verdict {
  return verdictOf("≤", target, what, measured, unit, measured <= target);
}

/** For a count that has to be exact. */
export function exactly(target: number, what: string, measured: number): Verdict {
  return { ...verdictOf("", target, what, measured, "", measured === target) };
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  return formatTable(
    ["target for", "measured", "target", "result"],
    verdicts.map(({ what, measured, target, isReached }) => [what, measured, target, isReached ? "met" : "not met"]),
  );
}

function verdictOf(
  sign: string,
  target: number,
  what: string,
  measured: number,
  unit: string,
  isReached: boolean,
): Verdict {
  return {
    what,
    measured: formatWithUnit(measured, unit),
    target: `${sign} ${formatWithUnit(target, unit)}`.trim(),
    isReached,
  };
}
