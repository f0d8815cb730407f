import { formatNumber, formatTable } from "./table.ts";

const TIMES = "×";

/** What was aimed at, beside what was measured. */
export interface Verdict {
  what: string;
  measured: string;
  target: string;
  isReached: boolean;
}

/** Where more is better: unless told otherwise, of a ratio of ours to a peer's. */
export function atLeast(target: number, what: string, measured: number, unit: string = TIMES): Verdict {
  return {
    what,
    measured: withUnit(measured, unit),
    target: `≥ ${withUnit(target, unit)}`,
    isReached: measured >= target,
  };
}

/** Where less is better: unless told otherwise, of a ratio of ours to a peer's. */
export function atMost(target: number, what: string, measured: number, unit: string = TIMES): Verdict {
  return {
    what,
    measured: withUnit(measured, unit),
    target: `≤ ${withUnit(target, unit)}`,
    isReached: measured <= target,
  };
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  return formatTable(
    ["what", "measured", "target", "verdict"],
    verdicts.map(({ what, measured, target, isReached }) => [
      what,
      measured,
      target,
      isReached ? "reached" : "not reached",
    ]),
  );
}

function withUnit(number: number, unit: string): string {
  return `${formatNumber(number)} ${unit}`.trim();
}
