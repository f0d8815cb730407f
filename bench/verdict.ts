import { formatNumber, formatTable } from "./table.ts";

/** What was aimed at, beside what was measured. */
export interface Verdict {
  what: string;
  measured: string;
  target: string;
  isReached: boolean;
}

/** @param ratio of ours to the peer's, where more is better */
export function atLeast(target: number, what: string, ratio: number): Verdict {
  return { what, measured: times(ratio), target: `≥ ${times(target)}`, isReached: ratio >= target };
}

/** @param ratio of ours to the peer's, where less is better */
export function atMost(target: number, what: string, ratio: number): Verdict {
  return { what, measured: times(ratio), target: `≤ ${times(target)}`, isReached: ratio <= target };
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

function times(ratio: number): string {
  return `${formatNumber(ratio)} ×`;
}
