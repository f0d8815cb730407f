import type { Mark } from "./chart.ts";
import { formatTable, formatWithUnit } from "./table.ts";

/** A target and what was measured. */
export interface Verdict {
  what: string;
  measured: string;
  target: string;
  isReached: boolean;
}

/** A mark at the bar with this name, in the panels of this figure. */
interface BarMark extends Mark {
  bar: string;
  figure?: string;
}

export interface Target extends Verdict {
  mark?: BarMark;
}

/** @param mark is at the target's value and has its text, unless it has its own */
export type Check = (
  target: number,
  what: string,
  measured: number,
  unit?: string,
  mark?: Partial<BarMark> & Pick<BarMark, "bar">,
) => Target;

/** For a figure of which more is better. The default unit is for ratios of ours to a peer's. */
export const atLeast = checkWith("≥", (measured, target) => measured >= target);

/** For a figure of which less is better. The default unit is for ratios of ours to a peer's. */
export const atMost = checkWith("≤", (measured, target) => measured <= target);

/** For a count that has to be exact. */
export const exactly = checkWith("", (measured, target) => measured === target, "");

function checkWith(sign: string, isReached: (measured: number, target: number) => boolean, defaultUnit = "×"): Check {
  return (target, what, measured, unit = defaultUnit, mark = undefined) => ({
    what,
    measured: formatWithUnit(measured, unit),
    target: `${sign} ${formatWithUnit(target, unit)}`.trim(),
    isReached: isReached(measured, target),
    ...(mark && { mark: { value: target, label: `target: ${formatWithUnit(target, unit)}`, ...mark } }),
  });
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  return formatTable(
    ["target for", "measured", "target", "result"],
    verdicts.map(({ what, measured, target, isReached }) => [what, measured, target, isReached ? "met" : "not met"]),
  );
}
